import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/core/errors';
import { greedy } from '../../../src/core/generate/choose';
import { type GenerationOptions, type GenerationReport, generationText } from '../../../src/core/generate/report';
import { defaultOptions, type SimulationOptions } from '../../../src/core/options/table';
import { makePlan } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { makeScenario } from '../../../src/core/scenario/scenario';
import { openDevice } from '../../../src/engine/attend/runtime/provider';
import { loadModel, openModel } from '../../../src/engine/read/model/load';
import { promptFromText } from '../../../src/engine/read/prompt';
import { PromptTokenizer } from '../../../src/engine/read/tokenizer/tokenizer';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { generate } from '../../../src/engine/tasks/generate/generate';
import { endTokens } from '../../../src/engine/tasks/generate/tokens';
import { embeddedFolder, modelsFolder, root, sampleText } from '../../support/paths';
import { keptAgain } from '../../support/records';
import { temporaryFolder } from '../../support/temporary';
import { writeTinyTokenizer } from '../../support/tiny-tokenizer';
import { wholeLogits } from '../../support/whole-logits';

const signal = new AbortController().signal;
const places = { modelsFolder, calibrations: new CalibrationStore('/nonexistent') };

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
    // Each token stands in the text where it says, and the history reads what it kept.
    expect(continuation.tokens.every(({ text, from }) => continuation.text.startsWith(text, from))).toBe(true);
    expect((await keptAgain({ kind: 'continuation', origin: null, report })).report).toEqual(report);
  });

  it("needs no baseline under the model's own attention, and is the same for the same seed", async () => {
    const options = { temperature: 0.9, topK: 40, topP: 0.95, seed: 5 };
    const [one, two, other] = [await run({}, options), await run({}, options), await run({}, { ...options, seed: 6 })];
    expect(one.baseline).toBeNull();
    expect(one.continuation.text).toBe(two.continuation.text);
    expect(one.continuation.text).not.toBe(other.continuation.text);
  });

  // 22 tokens of prompt: the 25th, of which the rope changes, is the third that is added, and is read where four are asked for.
  it.each(['phi3', 'llama-rope-dynamic'])(
    'adds the same tokens however many are asked for, with the rope of each length: %s',
    async (name) => {
      const folder = join(temporaryFolder(), name);
      cpSync(join(root, 'test', 'golden', name), folder, { recursive: true });
      writeTinyTokenizer(folder, 280, false);
      const words = promptFromText('words', Array.from({ length: 22 }, (_, word) => `w${(37 * word) % 280}`).join(' '));
      const added = async (tokens: number): Promise<GenerationReport> =>
        generate(
          words,
          { ...defaultOptions, model: folder, blockSize: 8 },
          { ...usual, tokens, baseline: false },
          { ...places, signal, onProgress: () => undefined },
        );
      const reports = await Promise.all([1, 2, 3, 4, 8].map(added));
      const { tokens, reruns, decodeCalls, prefillCalls } = reports[4].continuation;
      expect(tokens).toHaveLength(8);
      for (const { continuation } of reports) {
        expect(continuation.tokens).toEqual(tokens.slice(0, continuation.tokens.length));
      }
      expect(reports.map(({ continuation }) => continuation.reruns.times)).toEqual(name === 'phi3' ? [0, 0, 0, 1, 1] : [0, 0, 0, 1, 5]);
      expect(reports[2].continuation.decodeCalls.tokenwise).toBeLessThan(reports[3].continuation.decodeCalls.tokenwise / 2);
      expect(generationText(reports[2])).not.toContain('the rope changes');
      expect(generationText(reports[4])).toContain(
        `the rope changes with the length: these figures include ${reruns.times === 1 ? '1 run' : '5 runs'} of the whole sequence, ${reruns.tokens} tokens in all`,
      );
      expect(decodeCalls.tokenwise).toBeGreaterThan(prefillCalls.tokenwise * reruns.times);

      const model = await loadModel(await openModel(folder, modelsFolder));
      const device = await openDevice('cpu', 1);
      const ids = [...(await PromptTokenizer.load(folder)).encode(words.text), ...tokens.map(({ id }) => id)];
      for (const [index, { id, logProbability }] of tokens.entries()) {
        const read = Int32Array.from(ids.slice(0, 22 + index));
        const plan = makePlan(planRequest(read.length, model.shape, { ...defaultOptions, scenario: { kind: 'native' }, blockSize: 8 }));
        const logits = (await wholeLogits(model, read, plan, device))[read.length - 1];
        const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
        expect(logProbability).toBeCloseTo(logits[id] - Math.log(sum), 5);
      }
    },
  );

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
