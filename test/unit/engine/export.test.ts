import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/core/errors';
import { makeScenario, scenarioKinds } from '../../../src/core/masks';
import { defaultOptions } from '../../../src/core/options';
import { makePlan } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { exportGraph } from '../../../src/engine/export/export';
import { loadModel, openModel, type LoadedModel } from '../../../src/engine/model/load';
import { randomModel } from '../../../src/engine/model/random';
import { OnnxOracle } from '../../../src/engine/oracle/onnx-oracle';
import { PhaseClock } from '../../../src/engine/run/clock';
import { forward } from '../../../src/engine/run/forward';
import type { LayerAttention } from '../../../src/engine/run/layer';
import { openDevice } from '../../../src/engine/runtime/provider';
import { settings } from '../../support/arbitrary';
import { errorsOf, randomLayer } from '../../support/layers';
import { onnxComplaints } from '../../support/onnx-checker';
import { modelsFolder } from '../../support/paths';
import { planOf, smallModel } from '../../support/shapes';
import { temporaryFolder } from '../../support/temporary';

const noModel = randomModel({ ...smallModel, layers: 1 }, { seed: 1, scoreScale: 1, variety: 1 });

/** An exported attention graph, loaded from its file as any user of ONNX Runtime would. */
function loaded(session: InferenceSession): LayerAttention {
  return {
    run: async ({ query, key, value }) => {
      const feed = ({ heads, tokens, width, data }: typeof query): Tensor => new Tensor('float32', data, [heads, tokens, width]);
      const { out, logNormaliser } = await session.run({ query: feed(query), key: feed(key), value: feed(value) });
      return { out: { ...query, data: out.data as Float32Array }, logNormaliser: Float64Array.from(logNormaliser.data as Float32Array), rounds: 1 };
    },
  };
}

/** The logits of the token after the last, by `forward` and a float64 head. */
async function expectedLogits(model: LoadedModel, tokens: Int32Array, blockSize: number): Promise<Float64Array> {
  const device = await openDevice('cpu', 1);
  const oracle = await OnnxOracle.create(model, blockSize, device);
  const plan = makePlan(planRequest(tokens.length, model.shape, { ...defaultOptions, blockSize }));
  const hidden = await forward({ model, plan, tokens, oracle, clock: new PhaseClock(), signal: new AbortController().signal, onProgress: () => undefined });
  await oracle.release();
  const { width, vocabulary } = model.shape;
  const last = hidden.subarray((tokens.length - 1) * width);
  const size = Math.sqrt(last.reduce((sum, x) => sum + x * x, 0) / width + model.normEpsilon);
  return Float64Array.from({ length: vocabulary }, (_, word) => last.reduce((sum, x, column) => sum + ((x / size) * model.finalNorm[column]) * model.head[word * width + column], 0));
}

describe('an exported graph', () => {
  it('is valid ONNX, and gives the result of exact attention when it is loaded from its file', async () => {
    const folder = temporaryFolder();
    let file = 0;
    await fc.assert(
      fc.asyncProperty(settings, fc.integer(), async (setting, seed) => {
        const plan = planOf(setting);
        const { model, summary } = exportGraph(plan, 'attention', noModel, 'unused');
        expect(onnxComplaints(model)).toEqual([]);
        expect(summary.calls * plan.model.layers).toBe(plan.calls.attention);
        const path = join(folder, `${(file += 1)}.onnx`);
        await writeFile(path, model);
        const session = await InferenceSession.create(path, { intraOpNumThreads: 1 });
        const worst = await errorsOf(plan, randomLayer(setting.tokens, smallModel, seed, 2), loaded(session));
        await session.release();
        expect(worst.out).toBeLessThan(1e-5);
        expect(worst.logNormaliser).toBeLessThan(1e-4);
      }),
      { numRuns: 40 },
    );
  });

  it.each(scenarioKinds)('grows with the blocks and not with the tiles under %s', (kind) => {
    const scenario = makeScenario(kind, { window: 100, sinks: 4 });
    const nodes = (tokens: number): number => exportGraph(planOf({ tokens, blockSize: 16, scenario }), 'attention', noModel, '').summary.nodes;
    expect(nodes(2048)).toBeLessThan(2.6 * nodes(1024) + 50);
  });

  it('holds a whole model, in one file or with its constants beside it', async () => {
    const folder = temporaryFolder();
    const model = await loadModel(await openModel('tiny-docs-5m', modelsFolder));
    const tokens = Int32Array.from({ length: 75 }, (_, index) => (index * 37) % 4000);
    const plan = makePlan(planRequest(tokens.length, model.shape, { ...defaultOptions, blockSize: 16 }));
    const expected = await expectedLogits(model, tokens, 16);
    for (const limit of [undefined, 1_000_000]) {
      const exported = exportGraph(plan, 'model', model, 'model.onnx.data', limit);
      expect(onnxComplaints(exported.model)).toEqual([]);
      expect(exported.summary.calls).toBe(plan.calls.attention);
      expect(exported.summary.externalBytes > 0).toBe(limit !== undefined);
      await writeFile(join(folder, 'model.onnx'), exported.model);
      await writeFile(join(folder, 'model.onnx.data'), exported.data);
      const session = await InferenceSession.create(join(folder, 'model.onnx'), { intraOpNumThreads: 1 });
      const { logits } = await session.run({ tokens: new Tensor('int64', BigInt64Array.from(tokens, BigInt), [tokens.length]) });
      await session.release();
      const worst = Math.max(...Array.from(logits.data as Float32Array, (value, word) => Math.abs(value - expected[word])));
      expect(worst).toBeLessThan(1e-3);
    }
  });

  it('is refused where it would have too many nodes, with a block size that would do', () => {
    const plan = planOf({ tokens: 1_000_000, blockSize: 4, scenario: { kind: 'causal' } });
    expect(() => exportGraph(plan, 'attention', noModel, '')).toThrow(InputError);
    expect(() => exportGraph(plan, 'attention', noModel, '')).toThrow(/block size of 4 .* use --block \d+/);
  });
});
