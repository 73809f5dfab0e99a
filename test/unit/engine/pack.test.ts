import { fromBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { separationStrength, separationWidth } from '../../../src/core/construct/separation';
import { CancelledError } from '../../../src/core/errors';
import { maskOf } from '../../../src/core/scenario/scenario';
import {
  defaultPackOptions,
  packScenarios,
  type PackOptions,
  type PackReport,
  type PackScenario,
  packVerdict,
} from '../../../src/core/pack/report';
import { packedAttentionGraph } from '../../../src/engine/attend/graphs/dense';
import { ModelProtoSchema } from '../../../src/engine/attend/onnx/generated/onnx_pb';
import { checkPackedLength, checkPackMemory, PackCheck } from '../../../src/engine/tasks/pack/check';
import { attendPacked, type AttentionKernel, OnnxKernel } from '../../../src/engine/tasks/pack/packed-attention';
import { packLayout, type PackLayout } from '../../../src/engine/tasks/pack/layout';
import { runPack, type PackContext } from '../../../src/engine/tasks/pack/pack';
import { promptFromText } from '../../../src/engine/read/prompt';
import { type HeadTensor, type LayerTensors, rowsView } from '../../../src/engine/attend/tiles/layer';
import { openDevice, type Device } from '../../../src/engine/attend/runtime/provider';
import { PromptTokenizer } from '../../../src/engine/read/tokenizer/tokenizer';
import { denseAttention, toRows } from '../../support/dense-attention';
import { copyOf } from './malformed/golden-copy';
import { writeTinyTokenizer } from '../../support/tiny-tokenizer';
import { float64Perplexity } from '../../support/float64-llama';
import { alignedLayer, randomLayer } from '../../support/layers';
import { embeddedFolder, modelsFolder, root, sampleText } from '../../support/paths';
import { smallModel } from '../../support/shapes';

let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', 1);
});

const opened: OnnxKernel[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((kernel) => kernel.release()));
});

function kernelOf(scenario: PackScenario): OnnxKernel {
  const kernel = new OnnxKernel(device, scenario === 'causal');
  opened.push(kernel);
  return kernel;
}

const lengthsOfPrompts = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 12 });
const scenarios = fc.constantFrom(...packScenarios);
const layersOfTokens = fc.constantFrom(
  (tokens: number, seed: number) => randomLayer(tokens, smallModel, seed, 1),
  (tokens: number, seed: number) => alignedLayer(tokens, smallModel, seed, 10),
  (tokens: number, seed: number) => alignedLayer(tokens, smallModel, seed, 80),
);

const none = { maxAbsError: 0, maxRelError: 0 };

/** The rows of one prompt, as a layer of its own. */
function aloneOf(layer: LayerTensors, from: number, to: number): LayerTensors {
  const cut = (tensor: HeadTensor): HeadTensor => ({
    ...tensor,
    tokens: to - from,
    data: Float32Array.from(Array.from({ length: tensor.heads }, (_, head) => [...rowsView(tensor, head, from, to)]).flat()),
  });
  return { query: cut(layer.query), key: cut(layer.key), value: cut(layer.value) };
}

/** Dense float64 attention of a prompt alone, `[H, N_i, m]`. */
function exactOf(layer: LayerTensors, scenario: PackScenario): number[] {
  const { allows } = maskOf({ kind: scenario }, layer.query.tokens);
  const rows = (tensor: HeadTensor, head: number): number[][] => toRows(rowsView(tensor, head, 0, tensor.tokens), tensor.width);
  const group = layer.query.heads / layer.key.heads;
  return Array.from({ length: layer.query.heads }, (_, head) => {
    const keyHead = Math.floor(head / group);
    return denseAttention(rows(layer.query, head), rows(layer.key, keyHead), rows(layer.value, keyHead), allows).out;
  }).flat(2);
}

function farthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((worst, value, index) => (Number.isNaN(value) ? Infinity : Math.max(worst, Math.abs(value - b[index]))), 0);
}

describe('packed attention (theorem 4.2)', () => {
  it('is the attention of every prompt alone, in one call, for scores up to 80 either way', async () => {
    await fc.assert(
      fc.asyncProperty(lengthsOfPrompts, scenarios, layersOfTokens, fc.integer(), async (lengths, scenario, layerOf, seed) => {
        const layout = packLayout(lengths);
        const layer = layerOf(layout.tokens, seed);
        const kernel = kernelOf(scenario);
        const attended = await attendPacked(layer, layout, kernel);
        const { out } = attended;
        expect(kernel.calls).toBe(1);
        expect(attended.leak).toBe(0);
        const check = new PackCheck(layout, scenario, new AbortController().signal);
        await check.inspect(layer, attended);
        const fidelity = check.result({ ...smallModel, layers: 1 });
        // What float32 makes of scores of 80: half a unit in the last place is 4e-6, and a few of them meet.
        expect(fidelity.maxAbsError).toBeLessThan(1e-4);
        expect(packVerdict({ fidelity, difference: none, prompts: [] }, false).kind).toBe('exact');
        for (const { from, to } of layout.prompts) {
          const alone = aloneOf(layer, from, to);
          const packed = aloneOf({ ...layer, query: out }, from, to).query.data;
          expect(farthest(packed, exactOf(alone, scenario))).toBeLessThan(1e-4);
          expect(farthest(packed, (await attendPacked(alone, packLayout([to - from]), kernel)).out.data)).toBeLessThan(1e-4);
        }
        expect(kernel.calls).toBe(1 + lengths.length);
        await kernel.release();
      }),
      { numRuns: 60 },
    );
  });

  it('gives bit for bit the same whatever the other prompts hold', async () => {
    await fc.assert(
      fc.asyncProperty(lengthsOfPrompts, scenarios, fc.integer(), fc.nat(), async (lengths, scenario, seed, pick) => {
        const layout = packLayout(lengths);
        const { from, to } = layout.prompts[pick % lengths.length];
        const layer = alignedLayer(layout.tokens, smallModel, seed, 80);
        const changed = alignedLayer(layout.tokens, smallModel, seed, 80);
        for (const tensor of [changed.key, changed.value]) {
          for (let head = 0; head < tensor.heads; head += 1) {
            for (const side of [rowsView(tensor, head, 0, from), rowsView(tensor, head, to, tensor.tokens)]) {
              // Keys a hundred times as long: scores up to 8,000, still far from B^2.
              side.forEach((entry, index) => (side[index] = tensor === changed.key ? 100 * entry : 1e6));
            }
          }
        }
        const kernel = kernelOf(scenario);
        const [before, after] = [(await attendPacked(layer, layout, kernel)).out, (await attendPacked(changed, layout, kernel)).out];
        for (let head = 0; head < before.heads; head += 1) {
          expect(rowsView(after, head, from, to)).toEqual(rowsView(before, head, from, to));
        }
        await kernel.release();
      }),
      { numRuns: 60 },
    );
  });

  it('tells of a leak, where the scores reach what keeps the prompts apart', async () => {
    const layout = packLayout([5, 3, 4]);
    const layer = randomLayer(12, smallModel, 3, 1);
    layer.query.data.fill(1);
    // One key of the second prompt scores B^2 and more with every query.
    rowsView(layer.key, 0, 6, 7).fill(separationStrength ** 2);
    const { leak } = await attendPacked(layer, layout, kernelOf('full'));
    expect(leak).toBeCloseTo(1, 6);
  });

  it('reports NaN as a leak and as an error', async () => {
    const layout = packLayout([2, 2]);
    const layer = randomLayer(4, smallModel, 3, 1);
    const broken: AttentionKernel = {
      attend: ({ query }) => Promise.resolve({ ...query, data: new Float32Array(query.data.length).fill(NaN) }),
    };
    const attended = await attendPacked(layer, layout, broken);
    expect(attended.leak).toBe(Infinity);
    const check = new PackCheck(layout, 'full', new AbortController().signal);
    await check.inspect(layer, attended);
    const fidelity = check.result({ ...smallModel, layers: 1 });
    expect(fidelity).toMatchObject({ maxAbsError: Infinity, maxRelError: Infinity, leak: Infinity, missing: Infinity });
    expect(packVerdict({ fidelity, difference: none, prompts: [] }, false).kind).toBe('failed');
  });

  it('only copies rows and appends separation vectors', async () => {
    const layout = packLayout([3, 1, 4, 2]);
    const layer = randomLayer(10, smallModel, 9, 1);
    let heard: LayerTensors | undefined;
    const listener: AttentionKernel = {
      attend: (operands) => {
        heard = operands;
        return Promise.resolve(operands.query);
      },
    };
    const { out } = await attendPacked(layer, layout, listener);
    expect(out).toEqual(layer.query);
    const width = separationWidth(4);
    expect(heard?.query.width).toBe(smallModel.headWidth + width);
    for (const name of ['query', 'key', 'value'] as const) {
      const copied = new Set(layer[name].data);
      heard?.[name].data.forEach((entry) =>
        expect(copied.has(entry) || [0, separationStrength, -separationStrength].includes(entry)).toBe(true),
      );
    }
  });

  it('runs on a graph without a mask input', () => {
    for (const causalTokens of [undefined, 7]) {
      const { graph } = fromBinary(ModelProtoSchema, packedAttentionGraph(causalTokens));
      expect(graph?.input.map(({ name }) => name)).toEqual(['query', 'key', 'value']);
    }
  });
});

describe('the layout of a pack', () => {
  it('puts prompts side by side, each with a vector that is 0 against its own and -B^2 or less against any other', () => {
    fc.assert(
      fc.property(lengthsOfPrompts, (lengths) => {
        const layout: PackLayout = packLayout(lengths);
        expect(layout.prompts.map(({ from, to }) => to - from)).toEqual(lengths);
        expect(layout.prompts.at(-1)?.to).toBe(layout.tokens);
        layout.prompts.forEach(({ separation: { query } }, own) =>
          layout.prompts.forEach(({ separation: { key } }, other) => {
            const product = query.reduce((sum, entry, column) => sum + entry * key[column], 0);
            expect(own === other ? product === 0 : product <= -(separationStrength ** 2)).toBe(true);
          }),
        );
      }),
    );
  });
});

describe('packing prompts', () => {
  const texts = ['Explain what a write-ahead log is.', sampleText().slice(0, 700), 'x', sampleText().slice(2000, 2400), 'x'];
  const prompts = texts.map((text, index) => promptFromText(`prompt-${index}`, text));
  const run = (options: Partial<PackOptions> = {}, context: Partial<PackContext> = {}): Promise<PackReport> =>
    runPack(
      prompts,
      { ...defaultPackOptions, threads: 1, ...options },
      { modelsFolder, signal: new AbortController().signal, onProgress: () => undefined, ...context },
    );

  it.each(packScenarios)('makes one call a layer where separate prompts need one each, with the same result (%s)', async (scenario) => {
    const report = await run({ scenario });
    const { packed, separate, prompts: compared, fidelity, difference, bound } = report;
    const lengths = compared.map(({ tokens }) => tokens);
    expect(compared.map(({ path }) => path)).toEqual(prompts.map(({ path }) => path));
    expect(packed).toMatchObject({ tokens: lengths.reduce((a, b) => a + b), separationWidth: 4, calls: 6 });
    expect(packed.scores).toBe(6 * 8 * packed.tokens ** 2);
    expect(separate.calls).toBe(6 * 5);
    expect(separate.scores).toBe(6 * 8 * lengths.reduce((sum, length) => sum + length ** 2, 0));
    expect(bound).toEqual({ theorem: 'Theorem 4.2', formula: 'L', calls: 6 });
    expect(fidelity.leak).toBe(0);
    expect(report.verdict.kind).toBe('exact');
    expect(fidelity.maxRelError).toBeLessThan(5e-5);
    expect(difference.maxRelError).toBeLessThan(2e-5);
    expect(difference.maxRelError).toBe(Math.max(...compared.map(({ maxRelError }) => maxRelError)));
    expect(report.extension === null).toBe(scenario === 'full');
    expect(compared.every(({ loss }) => (loss === null) === (scenario === 'full'))).toBe(true);
    expect(packed.attendMs).toBeLessThan(packed.wallMs);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it('has the next-token losses of an independent float64 model', async () => {
    const { prompts: compared } = await run({ scenario: 'causal' });
    const tokenizer = await PromptTokenizer.load(embeddedFolder);
    for (const index of [0, 3]) {
      const ids = [...tokenizer.encode(texts[index])];
      const exact = Math.log(float64Perplexity(embeddedFolder, ids, maskOf({ kind: 'causal' }, ids.length).allows));
      expect(compared[index].loss?.packed).toBeCloseTo(exact, 4);
      expect(compared[index].loss?.separate).toBeCloseTo(exact, 4);
    }
  });

  it('reports progress that never falls and ends at 1, and stops when it is cancelled', async () => {
    const fractions: number[] = [];
    await run({}, { onProgress: ({ fraction }) => fractions.push(fraction) });
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
    const controller = new AbortController();
    await expect(run({}, { signal: controller.signal, onProgress: () => controller.abort() })).rejects.toBeInstanceOf(CancelledError);
  });

  it('refuses what is too long, and names the fix', async () => {
    await expect(run({ maxTokens: 100 })).rejects.toThrow(
      /^The prompts have \d+ tokens together and the limit is 100, .*; give fewer prompts or raise --max-tokens\.$/,
    );
    expect(() => checkPackedLength(100, 100)).not.toThrow();
    const allowed = 8 * 8 * 1000 ** 2 + 100;
    expect(() => checkPackMemory(8, 1000, 'full', 100, allowed)).not.toThrow();
    expect(() => checkPackMemory(8, 1001, 'full', 100, allowed)).toThrow(
      /over 1,001 tokens needs 61\.2 MiB for the scores of 8 heads, 100 B for the model and the rest of the run, and 61\.0 MiB may be used; give prompts of at most 1,000 tokens together/,
    );
    expect(() => checkPackMemory(8, 1000, 'causal', 100, allowed)).toThrow(/give prompts of at most 676 tokens together/);
  });

  it('refuses a model with learned sinks, which its calls cannot merge', async () => {
    await expect(run({ model: join(root, 'test', 'golden', 'gpt-oss') })).rejects.toThrow(
      /gpt-oss has learned sinks, and the calls of a pack give no log-normaliser to merge them by; use a model without them\.$/,
    );
  });

  it('refuses to pack nothing', async () => {
    await expect(
      runPack([], defaultPackOptions, { modelsFolder, signal: new AbortController().signal, onProgress: () => undefined }),
    ).rejects.toThrow(/no prompts to pack; give prompt files/);
  });

  // Its rope has one list of factors up to 24 tokens and another beyond.
  it('rotates by the length of a prompt, not of the pack, and refuses prompts that would be rotated apart', async () => {
    const folder = copyOf('phi3');
    writeTinyTokenizer(folder, 200, false);
    const words = (from: number, count: number) =>
      promptFromText('p', Array.from({ length: count }, (_, word) => `w${from + 3 * word}`).join(' '));
    const pack = (...given: Parameters<typeof runPack>[0]) =>
      runPack(
        given,
        { ...defaultPackOptions, threads: 1, scenario: 'causal', model: folder },
        { modelsFolder, signal: new AbortController().signal, onProgress: () => undefined },
      );
    const [alone] = (await pack(words(0, 20))).prompts;
    const [packed] = (await pack(words(0, 20), words(1, 24))).prompts;
    expect(packed.loss?.packed).toBeCloseTo(alone.loss?.packed ?? NaN, 4);
    await expect(pack(words(0, 20), words(1, 25))).rejects.toThrow('another for 20 tokens than for 25');
  });
});
