import { describe, expect, it } from 'vitest';
import { defaultOptions } from '../../../src/core/options/table';
import { expectedMemory } from '../../../src/core/predict/memory';
import { openModel } from '../../../src/engine/read/model/load';
import { promptFromText } from '../../../src/engine/read/prompt';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { planDocument, planPrompt } from '../../../src/engine/tasks/plan';
import { simulate } from '../../../src/engine/tasks/simulate';
import { modelsFolder, sampleText } from '../../support/paths';

/** A folder that is not there: nothing is calibrated. */
const places = { modelsFolder, calibrations: new CalibrationStore('/nonexistent') };
const prompt = promptFromText('sample', sampleText());

describe('models that ship for planning', () => {
  // The counts are those that the models' publishers state: of Llama, Mistral and SmolLM2 on the Hub, of GPT-2 by transformers.
  it.each([
    ['llama-3.1-8b', 8_030_261_248, 'cl100k_base', false],
    ['llama-3.1-70b', 70_553_706_496, 'cl100k_base', false],
    ['qwen3-8b', 8_190_735_360, 'tokenizer.json', true],
    ['mistral-7b-v0.1', 7_241_732_096, 'tokenizer.json', true],
    ['gpt2', 124_439_808, 'r50k_base', true],
    ['smollm2-135m', 134_515_008, 'r50k_base', false],
    ['modernbert-base', 149_655_232, 'p50k_base', false],
  ] as const)('%s has its parameters and says how its tokens were counted', async (model, parameters, tokenizer, exact) => {
    const planned = await planPrompt(prompt, { ...defaultOptions, model }, places);
    const document = planDocument(planned, expectedMemory(planned.plan, defaultOptions, undefined));
    expect(document.model).toMatchObject({ name: model, parameters, tokenizer: { name: tokenizer, exact } });
    expect(document.prompt.tokens).toBeGreaterThan(3000);
    expect(document.plan.notes.some((note) => note.includes(`tokens are an estimate by ${tokenizer}`))).toBe(!exact);
  });

  it('say how far an estimate is off, where it was measured', async () => {
    const noteOf = async (model: string): Promise<string> =>
      (await planPrompt(prompt, { ...defaultOptions, model, maxTokens: 2000 }, places)).plan.notes.join(' ');
    expect(await noteOf('llama-3.1-8b')).toMatch(
      /^The 2,000 tokens are an estimate by cl100k_base\. .* off by 0% in English, 0% in code, \+42% in Chinese, 0% in JSON, \+72% in other scripts\.$/,
    );
    expect(await noteOf('smollm2-135m')).toMatch(/^The 2,000 tokens are an estimate by r50k_base\. .* was not measured\.$/);
  });

  it.each([
    ['llama-3.1-8b', 131_072, undefined],
    ['llama-3.1-70b', 131_072, undefined],
    ['qwen3-8b', 40_960, undefined],
    ['mistral-7b-v0.1', 32_768, undefined],
    ['gpt2', 1024, 1024],
    ['smollm2-135m', 8192, undefined],
    ['modernbert-base', 8192, undefined],
    ['tiny-docs-5m', 2048, undefined],
  ])('%s was trained on sequences of %d tokens', async (model, trainedTokens, maximumTokens) => {
    const { shape } = (await openModel(model, modelsFolder)).config;
    expect([shape.trainedTokens, shape.maximumTokens]).toEqual([trainedTokens, maximumTokens]);
  });

  it('are planned past their positions, and not run', async () => {
    const { plan } = await planPrompt(prompt, { ...defaultOptions, model: 'gpt2', maxTokens: 4000 }, places);
    expect(plan.notes).toEqual(['The model has 1,024 positions and cannot run 4,000 tokens: this is a plan only.']);
    const context = { ...places, signal: new AbortController().signal, onProgress: () => undefined };
    await expect(simulate(prompt, { ...defaultOptions, model: 'gpt2', maxTokens: 4000 }, context)).rejects.toThrow(
      'The prompt has 4000 tokens and gpt2 has positions for 1024; cut it with --max-tokens 1024.',
    );
  });

  it('are planned under their own attention', async () => {
    const { config } = await openModel('mistral-7b-v0.1', modelsFolder);
    expect(config.shape.attention).toEqual({ kind: 'sliding-window', window: 4096 });
  });

  it.each([
    ['llama-3.1-8b', /^llama-3\.1-8b can be planned, not run: cl100k_base only estimates its tokens; .*tokenizer\.json and weights\.$/],
    ['gpt2', /gpt2 has no weights .*can be planned, not run; give a folder with its safetensors files, or get one by two-heads fetch\.$/],
  ])('cannot be run: %s', async (model, message) => {
    const signal = new AbortController().signal;
    await expect(
      simulate(prompt, { ...defaultOptions, model, maxTokens: 100 }, { ...places, signal, onProgress: () => undefined }),
    ).rejects.toThrow(message);
  });
});
