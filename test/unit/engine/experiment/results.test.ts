import { appendFileSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { growth } from '../../../../src/core/evaluate/histogram';
import { InputError } from '../../../../src/core/errors';
import { type RetrievalResult, Results, unitOf, type UnitResult } from '../../../../src/engine/tasks/evaluate/results';
import { checkEvidence } from '../../../../src/engine/tasks/evaluate/evidence';
import { temporaryFolder } from '../../../support/temporary';

/** A result that tells which one it is by its rank. */
const ranked = (rank: number): RetrievalResult => ({ logProbability: NaN, rank });
const rankOf = (result: UnitResult | undefined): number | null | undefined => (result as RetrievalResult | undefined)?.rank;
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
    expect(readFileSync(file, 'utf8').replace(/,"digest":"[0-9a-f]{32}"/, '')).toBe(
      '{"version":1,"unit":"one","kind":"window","result":{"logProbability":"NaN","rank":1}}\n',
    );
  });

  it('is no evidence of another experiment, which is said in one short line whatever is in it', async () => {
    const file = path();
    await (await Results.open(file)).add('one', { scenario: '\u001b[31m\n'.repeat(1000), blockSize: 8 }, ranked(1));
    await expect(checkEvidence(await Results.open(file), [])).rejects.toThrow(
      /: line 1 is of \\u\{1b\}\[31m\\u\{a\}.{1,250}…; leave --results out/,
    );
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

  it('has one line for each of many that come at once, and none that is empty', async () => {
    const file = path();
    const results = await Results.open(file);
    const about = { label: 'x'.repeat(100_000) };
    await Promise.all(Array.from({ length: 40 }, (_, rank) => results.add(`u${rank}`, about, ranked(rank))));
    const lines = readFileSync(file, 'utf8').split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => (JSON.parse(line) as { unit: string }).unit)).toEqual(Array.from({ length: 40 }, (_, rank) => `u${rank}`));
  });

  it('passes over lines that are something else', async () => {
    const file = path();
    writeFileSync(
      file,
      '{"version":2,"unit":"z"}\nnot JSON\n[]\n{"version":2,"unit":"a","result":{"logProbability":-1,"rank":1}}\n{"version":1,"unit":"b","result":"text"}\n{"version":1,"unit":"c","result":{"logProbability":-1,"rank":4}}\n',
    );
    const results = await Results.open(file);
    expect(['a', 'b', 'c'].map((unit) => rankOf(results.get(unit)))).toEqual([undefined, undefined, 4]);
  });

  it('passes over lines that were changed since they were written, says so, and keeps those that have no digest', async () => {
    const file = path();
    const results = await Results.open(file);
    for (const [index, unit] of ['right', 'value', 'wrong', 'null', 'swapped', 'none'].entries()) {
      await results.add(unit, { about: 'a unit' }, ranked(index + 1));
    }
    const [right, value, wrong, nothing, swapped, none] = readFileSync(file, 'utf8').trimEnd().split('\n');
    const digest = /"digest":"[0-9a-f]{32}"/;
    const lines = [
      right,
      value.replace('"rank":2', '"rank":1'),
      wrong.replace(digest, `"digest":"${'0'.repeat(32)}"`),
      nothing.replace(digest, '"digest":null'),
      swapped.replace('"unit":"swapped"', '"unit":"other"'),
      none.replace(digest, '"digest":0').replace(',"digest":0', ''),
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const later = await Results.open(file);
    const units = ['right', 'value', 'wrong', 'null', 'swapped', 'other', 'none'];
    expect(units.map((unit) => rankOf(later.get(unit)))).toEqual([1, undefined, undefined, undefined, undefined, undefined, 6]);
    expect(later.note).toMatch(/^4 lines of --results \S+ were changed since they were written, and are measured again/);
    await later.add('value', {}, ranked(2));
    expect(rankOf((await Results.open(file)).get('value'))).toBe(2);
    expect((await Results.open(path())).note).toBeUndefined();
  });

  it('passes over results that no run can have', async () => {
    const file = path();
    const sums = (sum: number, squares: number, all = 2): object => ({ count: all, sum, squares, infinite: 0, invalid: 0 });
    const bucketOf = (value: number): number => Math.ceil(Math.log(value) / Math.log(growth));
    const window = (change: object): object => ({
      summary: {
        bins: [
          {
            ...{ from: 0, to: 2, divergence: sums(0.5, 0.13), agreement: sums(1, 1), loss: sums(6, 18), baselineLoss: sums(5, 13) },
            ...{ lossChange: sums(1, 1), probabilityChange: sums(-0.5, 0.25), squaredProbabilityChange: sums(0.25, 0.06), ...change },
          },
        ],
        divergences: { zeros: 0, buckets: [[bucketOf(0.25), 2]], infinite: 0, invalid: 0, maximum: 0.3 },
      },
      wallMs: 1,
      calls: 1,
    });
    const results: readonly object[] = [
      window({}),
      window({ agreement: sums(3, 9) }),
      window({ loss: sums(-6, 18) }),
      window({ loss: sums(6, 3) }),
      window({ probabilityChange: sums(-2.5, 9) }),
      window({ divergence: { ...sums(0, 0), infinite: 3 } }),
      window({ from: 4 }),
      { logProbability: 3, rank: 1 },
      { logProbability: -3, rank: 0 },
      { logProbability: -3, rank: 2 },
    ];
    writeFileSync(file, results.map((result, unit) => `${JSON.stringify({ version: 1, unit: String(unit), result })}\n`).join(''));
    const read = await Results.open(file);
    expect(results.flatMap((_, unit) => (read.get(String(unit)) === undefined ? [] : [unit]))).toEqual([0, 9]);
  });

  it.each([
    ['lines of something else', '{"name":"mine"}\n{"version":1,"unit":"a","result":{"logProbability":-1,"rank":1}}\n'],
    ['JSON that has a version too', '{"version":1,"name":"mine"}\n'],
    ['JSON over several lines', '{\n  "version": 1\n}\n'],
    ['text', 'Dear diary'],
    ['a text that ends no line', '{'.repeat(100)],
  ])('is not %s, which stays as it is', async (_, content) => {
    const file = path();
    writeFileSync(file, content);
    await expect(Results.open(file)).rejects.toThrow(/^--results .* is not a results file: it begins with ".*"; give a file of results/);
    expect(readFileSync(file, 'utf8')).toBe(content);
  });

  it('may be empty, or have lost all of its only line but the beginning', async () => {
    for (const content of ['', '\n', '{"ver', '{"version":1,"unit":"one","resu', '\0\0\0\n']) {
      const file = path();
      writeFileSync(file, content);
      await (await Results.open(file)).add('two', {}, ranked(2));
      expect(rankOf((await Results.open(file)).get('two'))).toBe(2);
    }
  });

  it('has no line glued to one that another process left without an end', async () => {
    const file = path();
    const results = await Results.open(file);
    await results.add('one', {}, ranked(1));
    appendFileSync(file, '{"version":1,"unit":"x","resu');
    await results.add('two', {}, ranked(2));
    expect(rankOf((await Results.open(file)).get('two'))).toBe(2);
  });

  it.skipIf(process.platform === 'win32')('is not made where a link leads to nothing', async () => {
    const file = path();
    symlinkSync('nowhere', file);
    await expect(Results.open(file)).rejects.toThrow(/ cannot be used \(a link that leads nowhere\); give a file or a folder/);
    expect(readdirSync(dirname(file))).toEqual(['results.jsonl']);
  });

  it('takes lines of two runs at once', async () => {
    const file = path();
    const [one, other] = [await Results.open(file), await Results.open(file)];
    const units = Array.from({ length: 40 }, (_, index) => index);
    await Promise.all(
      units.map((unit) => (unit % 2 === 0 ? one : other).add(String(unit), { filler: 'x'.repeat(5000) }, ranked(unit + 1))),
    );
    const all = await Results.open(file);
    expect(units.map((unit) => rankOf(all.get(String(unit))))).toEqual(units.map((unit) => unit + 1));
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

  it('is opened while others read it, who do not look for what it only tried', async () => {
    const folder = `${join(temporaryFolder(), 'shared')}/`;
    const other = await Results.open(folder, 'other');
    const opened = { all: false };
    const opening = (async () => {
      for (let part = 0; part < 200; part++) {
        await Results.open(folder);
      }
      opened.all = true;
    })();
    while (!opened.all) {
      await other.refresh();
    }
    await opening;
    expect(readdirSync(folder)).toEqual([]);
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
