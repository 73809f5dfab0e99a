import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { uniform } from '../../../src/core/math/random';
import { defaultOptions } from '../../../src/core/options/table';
import { makePlan } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { parseCycle } from '../../../src/core/scenario/parse';
import { makeScenario, maskOf, type ScenarioChoice, visibleRanges } from '../../../src/core/scenario/scenario';
import { passOf } from '../../../src/engine/attend/pass';
import { openDevice } from '../../../src/engine/attend/runtime/provider';
import { OnnxOracle } from '../../../src/engine/attend/tiles/onnx-oracle';
import { OutputHead } from '../../../src/engine/attend/verify/predictions';
import { type LoadedModel, loadModel, openModel } from '../../../src/engine/read/model/load';
import { randomModel } from '../../../src/engine/read/model/random-model';
import { sameRotation } from '../../../src/engine/read/model/rope';

import { PackedWeight, type Weight, type Weights } from '../../../src/engine/read/model/weights';
import { cacheBytes, Decoder } from '../../../src/engine/tasks/generate/decoder';
import { modelsFolder, root } from '../../support/paths';
import { wholeLogits } from '../../support/whole-logits';

const signal = new AbortController().signal;

/** A model whose layers have codes, of about the same values. */
function inCodes(model: LoadedModel, bits: 4 | 8): LoadedModel {
  const block = 32;
  const ofHalf = <Name extends string>(weights: Weights<Name>): Weights<Name> =>
    Object.fromEntries(
      Object.entries(weights as Readonly<Record<string, Weight>>).map(([name, weight]) => {
        const { shape, data } = weight;
        if (shape.length < 2) {
          return [name, weight];
        }
        const zero = 2 ** (bits - 1);
        const scale = data.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0) / (zero - 1);
        const all = Array.from(data, (x) => Math.round(x / scale) + zero);
        const codes = bits === 8 ? all : all.filter((_, at) => at % 2 === 0).map((low, at) => low | (all[2 * at + 1] << 4));
        const scales = new Float32Array(data.length / block).fill(scale);
        return [name, new PackedWeight({ shape: [shape[0], shape[1]], bits, block, codes: Uint8Array.from(codes), scales })];
      }),
    ) as Weights<Name>;
  return {
    ...model,
    layers: model.layers.map((layer) => ({ ...layer, project: ofHalf(layer.project), outputAndMlp: ofHalf(layer.outputAndMlp) })),
  };
}

/** Ids that any vocabulary of the tests has. */
function someTokens(count: number, vocabulary: number): Int32Array {
  const next = uniform(11);
  return Int32Array.from({ length: count }, () => Math.floor(next() * vocabulary));
}

/** Logits after each of the tokens from `prompt` on, by a cache, and by running the whole sequence again. */
async function bothWays(
  model: LoadedModel,
  scenario: ScenarioChoice,
  blockSize: number,
  prompt: number,
  total: number,
  executor: 'tiles' | 'compiled' = 'tiles',
): Promise<{ decoded: Float32Array[]; again: Float32Array[]; cachedKeys: number; reruns: Decoder['reruns'] }> {
  const tokens = someTokens(total, model.shape.vocabulary);
  const device = await openDevice('cpu', 1);
  const oracle = new OnnxOracle(model, blockSize, device, prompt);
  const head = new OutputHead(model, device);
  const planOf = (count: number): ReturnType<typeof makePlan> =>
    makePlan(planRequest(count, model.shape, { ...defaultOptions, scenario, blockSize }));
  try {
    const decoder = new Decoder({ model, plan: planOf(prompt), oracle, head, pass: passOf(executor, 'float32'), signal });
    const decoded = [await decoder.prefill(tokens.slice(0, prompt), () => undefined)];
    for (const token of tokens.slice(prompt, -1)) {
      decoded.push(await decoder.step(token));
    }
    const wholeOf = (count: number): Promise<Float32Array[]> => wholeLogits(model, tokens.slice(0, count), planOf(count), device);
    // One run has the logits after each of its tokens, unless the rope of an earlier one is another: then each length has its own.
    const again = sameRotation(model.rotary ?? [], model.shape.headWidth, prompt, total - 1)
      ? (await wholeOf(total - 1)).slice(prompt - 1)
      : await Promise.all(decoded.map(async (_, index) => (await wholeOf(prompt + index))[prompt + index - 1]));
    return { decoded, again, cachedKeys: decoder.cachedKeys, reruns: decoder.reruns };
  } finally {
    await head.release();
    await oracle.release();
  }
}

function largestDifference(one: readonly Float32Array[], other: readonly Float32Array[]): number {
  expect(one.length).toBe(other.length);
  return Math.max(...one.map((row, index) => row.reduce((largest, value, at) => Math.max(largest, Math.abs(value - other[index][at])), 0)));
}

describe('a cache of keys and values', () => {
  const scenarios: [string, ScenarioChoice, number, number?][] = [
    ['causal', { kind: 'causal' }, 69],
    ['a window', makeScenario('sliding-window', { window: 10 }), 10],
    ['a window longer than the prompt', makeScenario('sliding-window', { window: 55 }), 55],
    ['a window of one', makeScenario('sliding-window', { window: 1 }), 1],
    ['sinks', makeScenario('attention-sink', { window: 9, sinks: 3 }), 12],
    ['sinks that the prompt does not reach', makeScenario('attention-sink', { window: 15, sinks: 15 }), 30, 10],
    ['a mask that is written', { kind: 'custom', expression: 'k <= q and (q - k < 5 or k % 9 == 0 or k == q)' }, 69],
    ['layers that differ', parseCycle('causal,sliding-window:7,attention-sink:5:2'), 69],
  ];

  it.each(scenarios)('gives what running the whole sequence again gives: %s', async (_name, scenario, keys, prompt = 40) => {
    const model = await loadModel(await openModel('tiny-docs-5m', modelsFolder));
    // Up to 70 tokens: over the edges of blocks of 16.
    const { decoded, again, cachedKeys } = await bothWays(model, scenario, 16, prompt, 70);
    expect(decoded).toHaveLength(70 - prompt);
    expect(largestDifference(decoded, again)).toBeLessThan(1e-4);
    expect(cachedKeys).toBe(keys);
  });

  it.each([
    ...['gpt2', 'qwen2', 'qwen3', 'mistral', 'llama-rope-dynamic', 'llama', 'smollm3', 'smollm3-window'],
    ...['granite', 'olmo2', 'olmo3', 'gemma2', 'gemma3', 'phi3', 'phi4-mini', 'cohere2', 'mixtral', 'qwen3-moe-mixed', 'gpt-oss'],
    ...['bloom', 'mpt', 'gpt-neo', 'gpt-neox', 'gpt-neox-sequential'],
  ])('does so for each architecture under its own attention: %s', async (name) => {
    const model = await loadModel(await openModel(join(root, 'test', 'golden', name), modelsFolder));
    const { decoded, again } = await bothWays(model, { kind: 'native' }, 8, 20, 40);
    expect(largestDifference(decoded, again)).toBeLessThan(1e-4);
  });

  // Up to 24 tokens both have one rope; beyond, the one has another and the other one for each length. 39 of 40 tokens are read.
  it.each([
    ['phi3', 'tiles', 20, { times: 1, tokens: 25 }],
    ['phi3', 'compiled', 20, { times: 1, tokens: 25 }],
    ['phi3', 'tiles', 24, { times: 1, tokens: 25 }],
    ['phi3', 'tiles', 25, { times: 0, tokens: 0 }],
    ['llama-rope-dynamic', 'tiles', 20, { times: 15, tokens: (15 * (25 + 39)) / 2 }],
    ['llama-rope-dynamic', 'compiled', 20, { times: 15, tokens: (15 * (25 + 39)) / 2 }],
    ['llama-rope-dynamic', 'tiles', 30, { times: 9, tokens: (9 * (31 + 39)) / 2 }],
  ] as const)(
    'runs the whole sequence again where its length changes the rope: %s, %s, from %i tokens',
    async (name, executor, prompt, expected) => {
      const model = await loadModel(await openModel(join(root, 'test', 'golden', name), modelsFolder));
      const { decoded, again, reruns } = await bothWays(model, { kind: 'native' }, 8, prompt, 40, executor);
      expect(largestDifference(decoded, again)).toBeLessThan(1e-4);
      expect(reruns).toEqual(expected);
    },
  );

  it('does so after compiled layers, with one token of prompt, and with M above the sequence', async () => {
    const model = await loadModel(await openModel('tiny-docs-5m', modelsFolder));
    const window = makeScenario('sliding-window', { window: 6 });
    for (const [blockSize, prompt, executor] of [
      [16, 20, 'compiled'],
      [16, 1, 'tiles'],
      [512, 20, 'tiles'],
    ] as const) {
      const { decoded, again } = await bothWays(model, window, blockSize, prompt, 30, executor);
      expect(largestDifference(decoded, again)).toBeLessThan(1e-4);
    }
  });

  it('does so where scores are in the hundreds, of which no exponential may overflow', async () => {
    const model = await loadModel(await openModel('tiny-docs-5m', modelsFolder));
    const layers = model.layers.map((layer) => {
      const { queryWeight } = layer.project;
      const steep = { shape: queryWeight?.shape ?? [], data: queryWeight?.data.map((x) => 30 * x) ?? new Float32Array() };
      return { ...layer, project: { ...layer.project, queryWeight: steep } };
    });
    const { decoded, again } = await bothWays({ ...model, layers }, { kind: 'causal' }, 16, 40, 50);
    expect(largestDifference(decoded, again)).toBeLessThan(1e-2);
  });

  it.each(['float32', 'codes of 4 bits', 'codes of 8 bits'])('does so over several tiles and runs of layers, in %s', async (weights) => {
    const shape = { layers: 8, heads: 4, keyValueHeads: 2, headWidth: 16, width: 64, feedForwardWidth: 96, vocabulary: 300 };
    const random = randomModel(shape, { seed: 3, scoreScale: 1, variety: 1 });
    const model = weights === 'float32' ? random : inCodes(random, weights === 'codes of 4 bits' ? 4 : 8);
    // Caches grow from one tile of 128 slots to two, and from two to three.
    for (const [scenario, prompt] of [
      [{ kind: 'causal' }, 125],
      [makeScenario('attention-sink', { window: 255, sinks: 4 }), 250],
    ] as const) {
      const { decoded, again } = await bothWays(model, scenario, 64, prompt, prompt + 10);
      expect(largestDifference(decoded, again)).toBeLessThan(1e-4);
    }
  });

  it('is as large as it says', async () => {
    const { config } = await openModel('tiny-docs-5m', modelsFolder);
    const scenario = makeScenario('sliding-window', { window: 100 });
    const plan = makePlan(planRequest(1000, config.shape, { ...defaultOptions, scenario, blockSize: 64 }));
    // 6 layers of 128 slots, 4 key-value heads, keys and values of 32 numbers.
    expect(cacheBytes(plan, 50)).toBe(6 * 128 * 4 * 64 * 4);
    expect(visibleRanges(maskOf(scenario, 1000), 999).filter(({ from, to }) => to > from)).toEqual([{ from: 900, to: 1000 }]);
  });
});
