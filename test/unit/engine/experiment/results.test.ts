import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { InputError } from '../../../../src/core/errors';
import { Results, unitOf } from '../../../../src/engine/tasks/evaluate/results';
import { temporaryFolder } from '../../../support/temporary';

const number = z.number();
const path = (): string => join(temporaryFolder(), 'results.jsonl');

describe('a results file', () => {
  it('gives back what was added, now and later', async () => {
    const file = path();
    const results = await Results.open(file);
    await results.add('one', { kind: 'window' }, 1);
    expect(results.get('one', number)).toBe(1);
    const later = await Results.open(file);
    expect(later.get('one', number)).toBe(1);
    expect(later.get('two', number)).toBeUndefined();
    expect(readFileSync(file, 'utf8')).toBe('{"version":1,"unit":"one","kind":"window","result":1}\n');
  });

  it('loses only the line that a crash cut short', async () => {
    const file = path();
    await (await Results.open(file)).add('one', {}, 1);
    appendFileSync(file, '{"version":1,"unit":"two","resu');
    const after = await Results.open(file);
    expect(after.get('two', number)).toBeUndefined();
    await after.add('three', {}, 3);
    const last = await Results.open(file);
    expect([last.get('one', number), last.get('three', number)]).toEqual([1, 3]);
  });

  it('passes over lines that are something else', async () => {
    const file = path();
    writeFileSync(
      file,
      'not JSON\n[]\n{"version":2,"unit":"a","result":1}\n{"version":1,"unit":"b","result":"text"}\n{"version":1,"unit":"c","result":4}\n',
    );
    const results = await Results.open(file);
    expect(['a', 'b', 'c'].map((unit) => results.get(unit, number))).toEqual([undefined, undefined, 4]);
  });

  it('takes lines of two runs at once', async () => {
    const file = path();
    const [one, other] = [await Results.open(file), await Results.open(file)];
    const units = Array.from({ length: 40 }, (_, index) => index);
    await Promise.all(units.map((unit) => (unit % 2 === 0 ? one : other).add(String(unit), { filler: 'x'.repeat(5000) }, unit)));
    const all = await Results.open(file);
    expect(units.map((unit) => all.get(String(unit), number))).toEqual(units);
  });

  it('is refused before the run where it cannot be written', async () => {
    await expect(Results.open(join(temporaryFolder(), 'missing', 'results.jsonl'))).rejects.toThrow(InputError);
    await expect(Results.open(temporaryFolder())).rejects.toThrow(/--results .* is not a file but a folder; give/);
  });
});

it('names equal work alike, whatever the order, and other work otherwise', () => {
  expect(unitOf({ a: 1, b: 'x' })).toBe(unitOf({ b: 'x', a: 1 }));
  expect(unitOf({ a: 1, b: 'x' })).not.toBe(unitOf({ a: 1, b: 'y' }));
});
