import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/core/errors';
import { greedy } from '../../../src/core/generate/choose';
import type { GenerationOptions, GenerationReport } from '../../../src/core/generate/report';
import { normal, uniform } from '../../../src/core/math/random';
import { defaultOptions, type SimulationOptions } from '../../../src/core/options/table';
import { makePlan } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { parseCycle } from '../../../src/core/scenario/parse';
import { makeScenario, maskOf, type ScenarioChoice, visibleRanges } from '../../../src/core/scenario/scenario';
import { forward } from '../../../src/engine/attend/forward';
import { passOf } from '../../../src/engine/attend/pass';
import { PhaseClock } from '../../../src/engine/attend/runtime/clock';
import { openDevice } from '../../../src/engine/attend/runtime/provider';
import { OnnxOracle } from '../../../src/engine/attend/tiles/onnx-oracle';
import { OutputHead } from '../../../src/engine/attend/verify/predictions';
import { type LoadedModel, loadModel, openModel } from '../../../src/engine/read/model/load';
import { promptFromText } from '../../../src/engine/read/prompt';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { attendCached, LayerCache } from '../../../src/engine/tasks/generate/cached-attention';
import { cacheBytes, Decoder } from '../../../src/engine/tasks/generate/decoder';
import { generate } from '../../../src/engine/tasks/generate/generate';
import { endTokens } from '../../../src/engine/tasks/generate/tokens';
import { embeddedFolder, modelsFolder, root, sampleText } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';
import { writeTinyTokenizer } from '../../support/tiny-tokenizer';

const signal = new AbortController().signal;
const places = { modelsFolder, calibrations: new CalibrationStore('/nonexistent') };

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
): Promise<{ decoded: Float32Array[]; again: Float32Array[]; cachedKeys: number }> {
  const tokens = someTokens(total, model.shape.vocabulary);
  const device = await openDevice('cpu', 1);
  const oracle = new OnnxOracle(model, blockSize, device, total);
  const head = new OutputHead(model, device);
  const planOf = (count: number): ReturnType<typeof makePlan> =>
    makePlan(planRequest(count, model.shape, { ...defaultOptions, scenario, blockSize }));
  try {
    const decoder = new Decoder({ model, plan: planOf(prompt), oracle, head, pass: passOf(executor, 'float32'), signal }, total - prompt);
    const decoded = [await decoder.prefill(tokens.slice(0, prompt), () => undefined)];
    for (const token of tokens.slice(prompt, -1)) {
      decoded.push(await decoder.step(token));
    }
    const hidden = await forward({
      model,
      plan: planOf(total - 1),
      tokens: tokens.slice(0, -1),
      oracle,
      clock: new PhaseClock(),
      signal,
      onProgress: () => undefined,
    });
    const logits = await head.logits(hidden);
    const { vocabulary } = model.shape;
    const again = decoded.map((_, index) => logits.slice((prompt - 1 + index) * vocabulary, (prompt + index) * vocabulary));
    return { decoded, again, cachedKeys: decoder.cachedKeys };
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

  // Both have one rope up to 24 tokens and another beyond: the whole sequence decides, also for the prompt's 20.
  it.each(['llama-rope-dynamic', 'phi3'])('does so after compiled layers where the length changes the rope: %s', async (name) => {
    const model = await loadModel(await openModel(join(root, 'test', 'golden', name), modelsFolder));
    const { decoded, again } = await bothWays(model, { kind: 'native' }, 8, 20, 40, 'compiled');
    expect(largestDifference(decoded, again)).toBeLessThan(1e-4);
  });

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

  it('runs tiles again, each with a reference of its own, where a score overflows its sum', async () => {
    const shape = { layers: 1, heads: 2, keyValueHeads: 1, headWidth: 4, width: 8, feedForwardWidth: 8, vocabulary: 8 };
    const model = await loadModel(await openModel('tiny-docs-5m', modelsFolder));
    const cache = new LayerCache(shape, 20, 8);
    const next = normal(3);
    const keys = Array.from({ length: 20 }, () => Array.from({ length: 4 }, next));
    const values = Array.from({ length: 20 }, () => Array.from({ length: 4 }, next));
    // The reference comes from the last tile; a key in the first lies 400 above it.
    keys[3] = [400, 0, 0, 0];
    const tensor = (rows: number[][]): { heads: number; tokens: number; width: number; data: Float32Array } => ({
      heads: 1,
      tokens: 20,
      width: 4,
      data: Float32Array.from(rows.flat()),
    });
    keys.forEach((_, row) => cache.add({ key: tensor(keys), value: tensor(values) }, row, row));
    const query = Float32Array.of(1, 0.5, 0, 0, 0, 1, 1, 0);
    const oracle = new OnnxOracle({ ...model, shape }, 8, await openDevice('cpu', 1));
    const out = await attendCached(oracle, cache, query, 4);
    oracle.closeRound(1);
    expect(oracle.calls.retries).toBeGreaterThan(0);
    for (const head of [0, 1]) {
      const scores = keys.map((key) => key.reduce((sum, value, column) => sum + value * query[4 * head + column], 0));
      const weights = scores.map((score) => Math.exp(score - Math.max(...scores)));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (let column = 0; column < 4; column += 1) {
        expect(out[4 * head + column]).toBeCloseTo(weights.reduce((sum, weight, row) => sum + weight * values[row][column], 0) / total, 5);
      }
    }
    await oracle.release();
  });

  it('is as large as it says', async () => {
    const { config } = await openModel('tiny-docs-5m', modelsFolder);
    const scenario = makeScenario('sliding-window', { window: 100 });
    const plan = makePlan(planRequest(1000, config.shape, { ...defaultOptions, scenario, blockSize: 64 }));
    // 6 layers of 2 tiles of 64 slots, 4 key-value heads, keys of 33 and values of 32 numbers.
    expect(cacheBytes(plan, 50)).toBe(6 * 128 * 4 * 65 * 4);
    expect(visibleRanges(maskOf(scenario, 1000), 999).filter(({ from, to }) => to > from)).toEqual([{ from: 900, to: 1000 }]);
  });
});

describe('continuing a prompt', () => {
  const prompt = promptFromText('sample', sampleText());
  const usual: GenerationOptions = { ...greedy, tokens: 12, baseline: true };
  const run = (
    options: Partial<SimulationOptions>,
    generation: Partial<GenerationOptions> = {},
    stop = signal,
  ): Promise<GenerationReport> =>
    generate(
      prompt,
      { ...defaultOptions, maxTokens: 200, blockSize: 32, ...options },
      { ...usual, ...generation },
      { ...places, signal: stop, onProgress: () => undefined },
    );

  it('has the same words from text and from tokens, and counts its calls', async () => {
    const report = await run({ scenario: makeScenario('sliding-window', { window: 16 }) });
    const { continuation, baseline } = report;
    expect(continuation.tokens).toHaveLength(12);
    expect(continuation.tokens.map(({ text }) => text).join('')).toBe(continuation.text);
    expect(baseline?.scenario).toEqual({ kind: 'causal' });
    // After the first token each is a row through 6 layers: a tile for each of 4 key-value heads (8 heads a call), 2 token-wise.
    expect(continuation.decodeCalls.tokenwise).toBe(11 * 6 * 2);
    expect(continuation.decodeCalls.attention).toBe(11 * 6);
    expect(baseline?.decodeCalls.attention).toBeGreaterThan(11 * 6);
    expect(continuation.cachedKeys).toBe(16);
    expect(baseline?.cachedKeys).toBe(211);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it("needs no baseline under the model's own attention, and is the same for the same seed", async () => {
    const options = { temperature: 0.9, topK: 40, topP: 0.95, seed: 5 };
    const [one, two, other] = [await run({}, options), await run({}, options), await run({}, { ...options, seed: 6 })];
    expect(one.baseline).toBeNull();
    expect(one.continuation.text).toBe(two.continuation.text);
    expect(one.continuation.text).not.toBe(other.continuation.text);
  });

  it('stops where the model ends the text', async () => {
    const folder = join(temporaryFolder(), 'ends');
    cpSync(embeddedFolder, folder, { recursive: true });
    const first = (await run({ model: folder })).continuation.tokens[3].id;
    writeFileSync(join(folder, 'generation_config.json'), JSON.stringify({ eos_token_id: [4095, first] }));
    const { continuation } = await run({ model: folder });
    expect(continuation.ended).toBe('end-of-sequence');
    expect(continuation.tokens.at(-1)?.id).toBe(first);
    expect(continuation.tokens.slice(0, -1).some(({ id }) => id === first)).toBe(false);
    expect(
      continuation.tokens
        .slice(0, -1)
        .map(({ text }) => text)
        .join(''),
    ).toBe(continuation.text);
  });

  it.each<[string, Partial<SimulationOptions>, Partial<GenerationOptions>, RegExp]>([
    [
      'a scenario that looks ahead',
      { scenario: { kind: 'full' } },
      {},
      /^Full attention lets a token see tokens that do not exist yet; use causal/,
    ],
    [
      'a mask that grows',
      { scenario: { kind: 'custom', expression: 'k <= q and (k > n // 2 or k == q)' } },
      {},
      /depends on n, which grows with every token; write it without n to continue a prompt\.$/,
    ],
    [
      'a written mask that looks ahead',
      { scenario: { kind: 'custom', expression: 'k <= q + 1' } },
      {},
      /lets a token see tokens that do not exist yet/,
    ],
    ['a sample', { scenario: makeScenario('average-case') }, {}, /lets a token see tokens that do not exist yet/],
    [
      'a black box',
      { construction: 'tight', scenario: { kind: 'causal' } },
      {},
      /^Construction "tight" runs whole prompts.*use construction fused\.$/,
    ],
    ['a model without weights', { model: 'llama-3.1-8b' }, {}, /can be planned, not run/],
    [
      'more tokens than there are positions',
      { model: 'gpt2', maxTokens: 1000 },
      { tokens: 25 },
      /^--tokens 25 after 1000 of the prompt is more than the 1024 positions of gpt2; use --tokens 24 or fewer/,
    ],
    ['a cache that does not fit', { memoryLimit: 1_000_000 }, { tokens: 10_000 }, /of memory/],
  ])('is refused: %s', async (_what, options, generation, message) => {
    await expect(run(options, generation)).rejects.toThrow(message);
  });

  it('is refused on an encoder', async () => {
    const folder = join(temporaryFolder(), 'encoder');
    cpSync(join(root, 'test', 'golden', 'bert'), folder, { recursive: true });
    writeTinyTokenizer(folder, 20, true);
    await expect(run({ model: folder, maxTokens: 8 })).rejects.toThrow(
      /^encoder does not predict the next token, so it cannot continue a prompt/,
    );
  });

  it('can be cancelled', async () => {
    const controller = new AbortController();
    const running = generate(
      prompt,
      { ...defaultOptions, maxTokens: 100 },
      { ...usual, tokens: 5000 },
      {
        ...places,
        signal: controller.signal,
        onProgress: ({ message }) => message.includes('token 3 of') && controller.abort(),
      },
    );
    await expect(running).rejects.toThrow(CancelledError);
  });
});

describe('the tokens that end a text', () => {
  it.each<[string, Record<string, unknown>, number[] | RegExp]>([
    ['one', { 'config.json': { eos_token_id: 3 } }, [3]],
    ['many', { 'config.json': { eos_token_id: [3, 4] } }, [3, 4]],
    ['none', { 'config.json': { eos_token_id: null } }, []],
    ['no file', {}, []],
    ['those of the generation first', { 'config.json': { eos_token_id: 3 }, 'generation_config.json': { eos_token_id: 7 } }, [7]],
    ['those of the model where the generation has none', { 'config.json': { eos_token_id: 3 }, 'generation_config.json': {} }, [3]],
    [
      'a word',
      { 'config.json': { eos_token_id: '</s>' } },
      /config\.json: eos_token_id is neither a token id nor a list of them; download it again\.$/,
    ],
  ])('are read: %s', async (_what, files, expected) => {
    const folder = temporaryFolder();
    Object.entries(files).forEach(([name, content]) => writeFileSync(join(folder, name), JSON.stringify(content)));
    if (expected instanceof RegExp) {
      await expect(endTokens(folder)).rejects.toThrow(expected);
    } else {
      expect([...(await endTokens(folder))]).toEqual(expected);
    }
  });
});
