import fc from 'fast-check';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession, Tensor } from '../../../src/engine/onnxruntime';
import { describe, expect, it } from 'vitest';
import { writeExport } from '../../../src/cli/export';
import { InputError, messageOf } from '../../../src/core/errors';
import { defaultOptions } from '../../../src/core/options/table';
import { makePlan } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { makeScenario, standardKinds, tileRuleOf } from '../../../src/core/scenario/scenario';
import { hiddenOf } from '../../../src/engine/attend/pass';
import { openDevice } from '../../../src/engine/attend/runtime/provider';
import type { LayerAttention } from '../../../src/engine/attend/tiles/layer';
import { type LoadedModel, loadModel, openModel } from '../../../src/engine/read/model/load';
import { exportGraph, type ExportRequest } from '../../../src/engine/tasks/export/export';
import { settings } from '../../support/arbitrary';
import { alignedLayer, errorsOf, randomLayer } from '../../support/layers';
import { onnxComplaints } from '../../support/onnx-checker';
import { modelsFolder } from '../../support/paths';
import { planOf, smallModel } from '../../support/shapes';
import { temporaryFolder } from '../../support/temporary';

/** One layer's attention has no weights, so none are loaded for it. */
const noWeights = (): Promise<LoadedModel> => Promise.reject(new Error('weights were loaded'));

const attention: ExportRequest = { part: 'attention', factors: {}, dataName: 'unused' };
const whole: ExportRequest = { part: 'model', factors: {}, dataName: 'model.onnx.data' };

/** Small transformers that carry one instance a call, or several. Six of them do not divide the heads. */
const oracles = fc.record({ layers: fc.integer({ min: 1, max: 3 }), heads: fc.integer({ min: 1, max: 2 }) });

/** An exported attention graph, loaded from its file as any user of ONNX Runtime would. */
function loaded(session: InferenceSession): LayerAttention {
  return {
    run: async ({ query, key, value }) => {
      const feed = ({ heads, tokens, width, data }: typeof query): Tensor => new Tensor('float32', data, [heads, tokens, width]);
      // The graph scales what it is given; the layer's queries carry their factor.
      const raw = { ...query, data: query.data.map((value) => value * Math.sqrt(query.width)) };
      const { out, logNormaliser } = await session.run({ query: feed(raw), key: feed(key), value: feed(value) });
      return {
        out: { ...query, data: out.data as Float32Array },
        logNormaliser: Float64Array.from(logNormaliser.data as Float32Array),
        rounds: 1,
      };
    },
  };
}

/** The logits of the token after the last, by `forward` and a float64 head. */
async function expectedLogits(model: LoadedModel, tokens: Int32Array, blockSize: number): Promise<Float64Array> {
  const device = await openDevice('cpu', 1);
  const plan = makePlan(planRequest(tokens.length, model.shape, { ...defaultOptions, blockSize }));
  const hidden = await hiddenOf(model, plan, tokens, device);
  const { width, vocabulary } = model.shape;
  const [finalNorm, head] = [model.head.finalNormWeight?.data ?? [], model.head.headWeight?.data ?? []];
  const last = hidden.subarray((tokens.length - 1) * width);
  const size = Math.sqrt(last.reduce((sum, x) => sum + x * x, 0) / width + model.norm.epsilon);
  return Float64Array.from({ length: vocabulary }, (_, word) =>
    last.reduce((sum, x, column) => sum + (x / size) * finalNorm[column] * head[word * width + column], 0),
  );
}

describe('an exported graph', () => {
  it('is valid ONNX, and gives the result of exact attention when it is loaded from its file', async () => {
    const folder = temporaryFolder();
    let file = 0;
    await fc.assert(
      fc.asyncProperty(settings, oracles, fc.boolean(), fc.integer(), async (setting, oracle, extreme, seed) => {
        const plan = planOf(setting, oracle);
        const { model, summary } = await exportGraph(plan, attention, noWeights);
        expect(onnxComplaints(model)).toEqual([]);
        expect(summary.calls * plan.model.layers).toBe(plan.calls.attention);
        const path = join(folder, `${(file += 1)}.onnx`);
        await writeFile(path, model);
        const session = await InferenceSession.create(path, { intraOpNumThreads: 1 });
        // A score of 80 has a rounding error of 4e-6, and exp makes it a relative one.
        const layer = extreme ? alignedLayer(setting.tokens, smallModel, seed, 80) : randomLayer(setting.tokens, smallModel, seed, 2);
        const worst = await errorsOf(plan, layer, loaded(session));
        await session.release();
        expect(worst.out).toBeLessThan(extreme ? 1e-4 : 1e-5);
        expect(worst.logNormaliser).toBeLessThan(1e-4);
      }),
      { numRuns: 40 },
    );
  });

  it('has no graph of tiles that are chosen in the run', async () => {
    const plan = planOf({ tokens: 50, blockSize: 16, scenario: makeScenario('top-k') });
    await expect(exportGraph(plan, attention, noWeights)).rejects.toThrow(
      'A graph of calls has its tiles before it runs, and top-k(share 25',
    );
  });

  it.each(standardKinds.filter((kind) => tileRuleOf(makeScenario(kind)) === undefined))(
    'grows with the blocks and not with the tiles under %s',
    async (kind) => {
      const scenario = makeScenario(kind, { window: 100, sinks: 4 });
      const nodes = async (tokens: number): Promise<number> =>
        (await exportGraph(planOf({ tokens, blockSize: 16, scenario }), attention, noWeights)).summary.nodes;
      expect(await nodes(2048)).toBeLessThan(2.6 * (await nodes(1024)) + 50);
    },
  );

  it('holds a whole model, in one file or with its constants beside it', async () => {
    const folder = temporaryFolder();
    const model = await loadModel(await openModel('tiny-docs-5m', modelsFolder));
    const tokens = Int32Array.from({ length: 75 }, (_, index) => (index * 37) % 4000);
    const plan = makePlan(planRequest(tokens.length, model.shape, { ...defaultOptions, blockSize: 16 }));
    const expected = await expectedLogits(model, tokens, 16);
    for (const limit of [undefined, 1_000_000]) {
      const exported = await exportGraph(plan, { ...whole, limit }, () => Promise.resolve(model));
      expect(onnxComplaints(exported.model)).toEqual([]);
      expect(exported.summary.calls).toBe(plan.calls.attention);
      expect(exported.summary.externalBytes > 0).toBe(limit !== undefined);
      await writeExport(join(folder, 'model.onnx'), exported);
      expect(existsSync(join(folder, 'model.onnx.data'))).toBe(limit !== undefined);
      const session = await InferenceSession.create(join(folder, 'model.onnx'), { intraOpNumThreads: 1 });
      const { logits } = await session.run({ tokens: new Tensor('int64', BigInt64Array.from(tokens, BigInt), [tokens.length]) });
      await session.release();
      const worst = Math.max(...Array.from(logits.data as Float32Array, (value, word) => Math.abs(value - expected[word])));
      expect(worst).toBeLessThan(1e-3);
    }
  });

  it('holds the permutation of a long sequence under average-case', async () => {
    const plan = planOf({ tokens: 150_000, blockSize: 1000, scenario: makeScenario('average-case') });
    expect((await exportGraph(plan, attention, noWeights)).summary.calls * plan.model.layers).toBe(plan.calls.attention);
  });

  it('is refused where it would have too many nodes, with a block size that would do', async () => {
    const plan = planOf({ tokens: 1_000_000, blockSize: 4, scenario: { kind: 'causal' } });
    const refusal: unknown = await exportGraph(plan, whole, noWeights).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(InputError);
    expect(messageOf(refusal)).toMatch(/block size of 4 .* use --block \d+/);
  });

  it('is refused where the model has fewer positions, and not of attention alone', async () => {
    const gpt2 = { ...smallModel, trainedTokens: 32, maximumTokens: 32 };
    const plan = planOf({ tokens: 33, blockSize: 16, scenario: { kind: 'causal' } }, {}, gpt2);
    await expect(exportGraph(plan, whole, noWeights)).rejects.toThrow(
      '--tokens 33 is more than the 32 positions of the model; use --tokens 32 or fewer.',
    );
    expect((await exportGraph(plan, attention, noWeights)).summary.tokens).toBe(33);
  });

  it('never replaces constants that another model may read, and leaves none without their model', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'model.onnx');
    const parts = { model: new Uint8Array([1]), data: [new Uint8Array([2])] };
    await mkdir(path);
    await expect(writeExport(path, parts)).rejects.toThrow(/model\.onnx cannot be written/);
    expect(await readdir(folder)).toEqual(['model.onnx']);
    await writeFile(`${path}.data`, "another model's");
    await expect(writeExport(path, parts)).rejects.toThrow(/model\.onnx\.data exists, .* remove it or give another name/);
    expect(await readFile(`${path}.data`, 'utf8')).toBe("another model's");
  });
});
