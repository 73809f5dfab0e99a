import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../../src/core/errors';
import { defaultExperiment, defaultRetrieval } from '../../../../src/core/evaluate/experiment';
import { experimentJsonSchema, parseExperiment } from '../../../../src/engine/tasks/evaluate/experiment-file';
import { root } from '../../../support/paths';

const read = (fields: object): ReturnType<typeof parseExperiment> =>
  parseExperiment(JSON.stringify({ version: 1, prompts: ['a.md'], ...fields }), 'x.json');

describe('an experiment file', () => {
  it('has a default for all but its prompts', () => {
    expect(read({})).toEqual({ ...defaultExperiment, prompts: ['a.md'] });
    // Of what is hidden as well; what is saved has each.
    expect(read({ context: 400, retrieval: {} }).retrieval).toEqual(defaultRetrieval(400));
    expect(read({ ...defaultExperiment, quality: false })).toMatchObject({ quality: false, retrieval: null });
  });

  it('may say everything', () => {
    const retrieval = {
      tasks: ['single', 'chains'],
      lengths: [100],
      depths: [0.5],
      hops: [2],
      filler: 'generated',
      seed: 7,
      needle: ' q a ',
      question: ' q',
      answer: ' a',
    };
    const whole = {
      ...defaultExperiment,
      prompts: ['a', 'b'],
      scenarios: ['native', ['causal', 'sliding-window:8']],
      blocks: [64, 128],
      retrieval,
      results: 'r.jsonl',
    };
    expect(read(whole)).toEqual(whole);
  });

  it.each([
    [{ version: 2 }, /x\.json: version: /],
    [{ prompts: [] }, /prompts: /],
    [{ scenarios: ['banded'] }, /scenarios\.0: is no scenario; use one of native, full, causal/],
    [{ scenarios: [['causal', 'banded:3']] }, /scenarios\.0\.1: is no scenario/],
    [{ scenarios: ['sliding-window:1:2'] }, /has 2 numbers and sliding-window takes 1/],
    [{ scenarios: ['attention-sink:0:4'] }, /Window r of 0/],
    [{ blocks: [1] }, /blocks\.0: /],
    [{ context: -1 }, /context: /],
    [{ retrieval: { lengths: [10], depths: [2] } }, /retrieval\.depths\.0: /],
    [{ needle: { lengths: [10], depths: [2] } }, /x\.json: needle\.depths\.0: /],
    [{ budgets: { tokens: '8' } }, /budgets\.tokens: .*expected number, received string/],
    [{ budgets: { tokens: { limit: 8, tolerance: 5 } } }, /budgets\.tokens\.tolerance: .*expected string/],
    [{ scenarios: [8] }, /scenarios\.0: .*expected string/],
    [{ retrieval: { lengths: [10], tasks: ['hidden'] } }, /retrieval\.tasks\.0: /],
    [
      { retrieval: { lengths: [10], question: ' ' } },
      /^The question of retrieval is empty; give one with --retrieval-question, such as "The/,
    ],
    [
      { retrieval: { lengths: [10], needle: 'It is 7319.' } },
      /^The needle "It is 7319\." does not hold the question with the answer right/,
    ],
    [
      { retrieval: { lengths: [10], answer: ' 73' } },
      /goes on within the last word of the answer "73"; give --retrieval-answer whole words/,
    ],
    [{ windows: 3 }, /^x\.json: the file: it has no field "windows"; correct it/],
    [{ quality: false, retrieval: {} }, /^x\.json: retrieval does nothing beside "quality": false/],
    [{ quality: false, score: 'last-half' }, /^x\.json: score does nothing beside "quality": false/],
    [{ provider: 'gpu' }, /provider: /],
  ])('is refused with the field that is wrong: %j', (fields, message) => {
    expect(() => read(fields)).toThrow(InputError);
    expect(() => read(fields)).toThrow(message);
    expect(() => read(fields)).toThrow(/^[^\n]*$/);
  });

  it('is refused in one short line for a field that nobody knows, whatever it is made of', () => {
    for (const [key, named] of [
      [' '.repeat(1000), ' {60}…'],
      ['\n'.repeat(1000), '(\\\\u\\{a\\}){12}…'],
    ]) {
      const fields = { lengths: [10], [key]: 3 };
      expect(() => read({ [key]: 3 })).toThrow(
        new RegExp(`^x\\.json: the file: it has no field "${named}"; correct it, as [^ ]+ describes\\.$`),
      );
      expect(() => read({ needle: fields })).toThrow(new RegExp(`^x\\.json: needle: it has no field "${named}"; correct it`));
      expect(() => read({ budgets: { calls: { limit: 1, [key]: 3 } } })).toThrow(
        new RegExp(`^x\\.json: budgets\\.calls: it has no field "${named}"; correct it`),
      );
    }
  });

  it('is refused where it is not JSON, or has a key twice', () => {
    expect(() => parseExperiment('{', 'x.json')).toThrow(/x\.json is not JSON/);
    const twice = '{ "version": 1, "prompts": ["a"], "budgets": { "tokens": 8, "calls": 1, "tokens": 800 } }';
    expect(() => parseExperiment(twice, 'x.json')).toThrow(/x\.json: budgets\.tokens is given twice/);
    const deep = 150;
    const nested = `${'{"a":'.repeat(deep)}{"b": 1, "b": 2}${'}'.repeat(deep)}`;
    expect(() => parseExperiment(nested, 'x.json')).toThrow(/^x\.json: .{1,120} is given twice/);
  });
});

describe('its published JSON Schema', () => {
  const validate = new Ajv({ strict: false }).compile(experimentJsonSchema());

  it('asks only for a version and prompts, and describes every field', () => {
    expect(validate({ version: 1, prompts: ['a.md'] })).toBe(true);
    expect(validate({ prompts: ['a.md'] })).toBe(false);
    const { properties } = experimentJsonSchema() as {
      properties: Record<string, { description?: string; anyOf?: { description?: string }[] }>;
    };
    for (const [name, { description, anyOf }] of Object.entries(properties)) {
      expect(description ?? anyOf?.[0].description, name).toMatch(/\.$/);
    }
  });

  it('refuses what the reader refuses', () => {
    expect(validate({ version: 1, prompts: ['a.md'], scenarios: ['banded'] })).toBe(false);
    expect(validate({ version: 1, prompts: ['a.md'], windows: 3 })).toBe(false);
    expect(validate({ version: 1, prompts: ['a.md'], retrieval: { lengths: [10], depths: [2] } })).toBe(false);
  });

  it('takes the experiments that ship', () => {
    const folder = join(root, 'media', 'samples');
    const files = readdirSync(folder).filter((name) => name.endsWith('.two-heads.json'));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const text = readFileSync(join(folder, file), 'utf8');
      expect(validate(JSON.parse(text)), JSON.stringify(validate.errors)).toBe(true);
      expect(parseExperiment(text, file).prompts.length).toBeGreaterThan(0);
    }
  });
});
