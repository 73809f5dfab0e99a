import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../../src/core/errors';
import { defaultExperiment } from '../../../../src/core/evaluate/experiment';
import { experimentJsonSchema, parseExperiment } from '../../../../src/engine/tasks/evaluate/experiment-file';
import { root } from '../../../support/paths';

const read = (fields: object): ReturnType<typeof parseExperiment> =>
  parseExperiment(JSON.stringify({ version: 1, prompts: ['a.md'], ...fields }), 'x.json');

describe('an experiment file', () => {
  it('has a default for all but its prompts', () => {
    expect(read({})).toEqual({ ...defaultExperiment, prompts: ['a.md'] });
  });

  it('may say everything', () => {
    const needle = { lengths: [100], depths: [0.5], needle: ' n ', question: ' q', answer: ' a' };
    const whole = {
      ...defaultExperiment,
      prompts: ['a', 'b'],
      scenarios: ['native', ['causal', 'sliding-window:8']],
      blocks: [64, 128],
      needle,
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
    [{ needle: { lengths: [10], depths: [2] } }, /needle\.depths\.0: /],
    [{ windows: 3 }, /windows/],
    [{ provider: 'gpu' }, /provider: /],
  ])('is refused with the field that is wrong: %j', (fields, message) => {
    expect(() => read(fields)).toThrow(InputError);
    expect(() => read(fields)).toThrow(message);
    expect(() => read(fields)).toThrow(/^[^\n]*$/);
  });

  it('is refused where it is not JSON', () => {
    expect(() => parseExperiment('{', 'x.json')).toThrow(/x\.json is not JSON/);
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
    expect(validate({ version: 1, prompts: ['a.md'], needle: { lengths: [10], depths: [2] } })).toBe(false);
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
