import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../../src/core/errors';
import { type NeedleResult, Results, unitOf, type UnitResult } from '../../../../src/engine/tasks/evaluate/results';
import { temporaryFolder } from '../../../support/temporary';

/** A result that tells which one it is by its rank. */
const ranked = (rank: number): NeedleResult => ({ logProbability: null, rank });
const rankOf = (result: UnitResult | undefined): number | null | undefined => (result as NeedleResult | undefined)?.rank;
const path = (): string => join(temporaryFolder(), 'results.jsonl');

describe('a results file', () => {
  it('gives back what was added, now and later', async () => {
    const file = path();
    const results = await Results.open(file);
    await results.add('one', { kind: 'window' }, ranked(1));
    expect(rankOf(results.get('one'))).toBe(1);
    const later = await Results.open(file);
    expect(rankOf(later.get('one'))).toBe(1);
    expect(rankOf(later.get('two'))).toBeUndefined();
    expect(readFileSync(file, 'utf8')).toBe('{"version":1,"unit":"one","kind":"window","result":{"logProbability":null,"rank":1}}\n');
  });

  it('loses only the line that a crash cut short', async () => {
    const file = path();
    await (await Results.open(file)).add('one', {}, ranked(1));
    appendFileSync(file, '{"version":1,"unit":"two","resu');
    const after = await Results.open(file);
    expect(rankOf(after.get('two'))).toBeUndefined();
    await after.add('three', {}, ranked(3));
    const last = await Results.open(file);
    expect([rankOf(last.get('one')), rankOf(last.get('three'))]).toEqual([1, 3]);
  });

  it('passes over lines that are something else', async () => {
    const file = path();
    writeFileSync(
      file,
      'not JSON\n[]\n{"version":2,"unit":"a","result":{"logProbability":-1,"rank":1}}\n{"version":1,"unit":"b","result":"text"}\n{"version":1,"unit":"c","result":{"logProbability":-1,"rank":4}}\n',
    );
    const results = await Results.open(file);
    expect(['a', 'b', 'c'].map((unit) => rankOf(results.get(unit)))).toEqual([undefined, undefined, 4]);
  });

  it('takes lines of two runs at once', async () => {
    const file = path();
    const [one, other] = [await Results.open(file), await Results.open(file)];
    const units = Array.from({ length: 40 }, (_, index) => index);
    await Promise.all(units.map((unit) => (unit % 2 === 0 ? one : other).add(String(unit), { filler: 'x'.repeat(5000) }, ranked(unit))));
    const all = await Results.open(file);
    expect(units.map((unit) => rankOf(all.get(String(unit))))).toEqual(units);
  });

  it('is a folder where that is named: a file a writer, all of them read', async () => {
    const folder = `${join(temporaryFolder(), 'shared')}/`;
    const one = await Results.open(folder, 'shard-1-of-2');
    const other = await Results.open(folder, 'shard-2-of-2');
    await one.add('one', {}, ranked(1));
    await other.add('two', {}, ranked(2));
    expect(other.get('one')).toBeUndefined();
    await other.refresh();
    expect(rankOf(other.get('one'))).toBe(1);
    const files = readdirSync(folder).sort();
    expect(files.map((name) => name.replace(/\..*\./, '.*.'))).toEqual(['shard-1-of-2.*.jsonl', 'shard-2-of-2.*.jsonl']);
    const later = await Results.open(folder);
    expect([rankOf(later.get('one')), rankOf(later.get('two'))]).toEqual([1, 2]);
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it('has one result of a unit that two processes measured', async () => {
    const file = path();
    const [one, other] = [await Results.open(file), await Results.open(file)];
    await one.add('unit', {}, ranked(1));
    await other.refresh();
    await other.add('unit', {}, ranked(2));
    expect(rankOf(other.get('unit'))).toBe(1);
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toHaveLength(1);
  });

  it('is refused before the run where it cannot be written', async () => {
    await expect(Results.open(join(temporaryFolder(), 'missing', 'results.jsonl'))).rejects.toThrow(InputError);
  });
});

it('names equal work alike, whatever the order, and other work otherwise', () => {
  expect(unitOf({ a: 1, b: 'x' })).toBe(unitOf({ b: 'x', a: 1 }));
  expect(unitOf({ a: 1, b: 'x' })).not.toBe(unitOf({ a: 1, b: 'y' }));
});
