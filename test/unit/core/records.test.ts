import { describe, expect, it } from 'vitest';
import { localTime } from '../../../src/core/format';
import { comparisonHtml, recordHtml } from '../../../src/core/record/html';
import { byPrompt, recordDescription, recordFacts, recordLabel, recordSpoken } from '../../../src/core/record/label';
import { differenceText, measuresOf } from '../../../src/core/record/measures';
import type { LabRecord, LabResult } from '../../../src/core/record/record';
import { partsOf, rowOf } from '../../../src/core/record/row';
import { makeScenario } from '../../../src/core/scenario/scenario';
import { adviceOf, advisedMask } from '../../support/advices';
import { continuationOf, evaluationOf, ledgerOf, resultsOfEveryKind } from '../../support/records';
import { reportOf } from '../../support/reports';

const kept = (result: LabResult, id = 'id'): LabRecord => ({ ...result, id });
const run = (choice: Parameters<typeof reportOf>[0] = {}): LabRecord => kept({ kind: 'run', origin: null, report: reportOf(choice) });

describe('a record in a list', () => {
  it('is a run by its scenario and time, and says what it came to', () => {
    const record = run({ path: 'folder/a.md', scenario: makeScenario('sliding-window', { window: 20 }) });
    const { date, measures } = rowOf(record);
    const time = localTime(date);
    const facts = [`${measures.calls} calls`, '1.23 s', 'error 3.1e-7', 'KL 0.25'];
    expect(recordLabel(record)).toBe(`sliding-window(window 20), ${time}`);
    expect(recordLabel(record, new Date(date))).toBe(`sliding-window(window 20), ${time.split(' ')[1]}`);
    expect(recordDescription(record)).toBe(facts.join(' · '));
    expect(recordSpoken(record)).toBe(`${recordLabel(record)}, ${facts.join(', ')}, of a.md`);
    expect(recordDescription(run({ verdict: 'failed', meanKl: null }))).toMatch(/^FAILED · \d+ calls · 1\.23 s · error 3\.1e-7$/);
  });

  it('has what matters of each kind', () => {
    const records = resultsOfEveryKind('docs/a.md').map((result) => kept(result));
    expect(records.map((record) => recordLabel(record).replace(/, [^,]*$/, ''))).toEqual([
      'causal',
      'Comparison of 2 scenarios',
      'Evaluation of 2 points',
      'Ledger of theorems',
      'Where attention goes, sliding-window(window 20)',
      'Continuation, sliding-window(window 20)',
      'Masks within a mean KL of 0.02',
    ]);
    expect(records.slice(1).map((record) => recordDescription(record))).toEqual([
      expect.stringMatching(/^\d+ calls · 2\.47 s$/),
      'sliding-window(window 8) · KL 0.5 · perplexity 33.115 · 800 ms',
      '2 rows · 24 calls · 200 ms · error 1.0e-7',
      'cut off 13% · KL 0.25 · 2.47 s',
      '4 tokens · differs from token 3 on · 48 calls · 14 ms',
      '30% of causal calls · 30 calls · KL 0.01 · 80 ms',
    ]);
    expect(records.map((record) => rowOf(record).prompt)).toEqual([
      ...Array<string>(3).fill('docs/a.md'),
      null,
      ...Array<string>(3).fill('docs/a.md'),
    ]);
    expect(recordSpoken(records[3])).toMatch(/^Ledger of theorems, .*, error 1\.0e-7$/);
    expect(recordFacts(records[2])).toContainEqual(['perplexity', '33.115']);
    expect(recordFacts(records[3]).map(([name]) => name)).toEqual(['Kind', 'M', 'calls', 'time', 'error', 'Verdict', 'Date']);
  });

  it('says of an experiment file where its results are', () => {
    const report = evaluationOf();
    const record = kept({
      kind: 'evaluation',
      origin: null,
      file: '/x/a.two-heads.json',
      report: { ...report, experiment: { ...report.experiment, results: '/x/a.jsonl' } },
    });
    expect(rowOf(record).prompt).toBe('/x/a.two-heads.json');
    expect(recordLabel(record)).toMatch(/^Experiment of 2 points, /);
    expect(recordFacts(record)).toContainEqual(['Results', '/x/a.jsonl']);
  });

  it('is shown as differences from the pinned record of its kind', () => {
    const [base, other] = [ledgerOf({}, 10), ledgerOf({}, 6)].map((report, index) =>
      kept({ kind: 'ledger', origin: null, report }, `${index}`),
    );
    expect(recordDescription(base, base)).toBe('pinned baseline · 2 rows · 20 calls · 200 ms · error 1.0e-7');
    expect(recordDescription(other, base)).toBe('calls -40%, time ×1');
    const [masked, own] = [kept({ kind: 'run', origin: null, report: reportOf({ meanKl: 0.26 }) }, 'a'), run({ meanKl: 0.25 })];
    expect(recordDescription(masked, own)).toBe('calls 0%, time ×1, memory ×1, KL +0.01, perplexity 0%');
  });

  it('stands with the others of its prompt, the prompt with the newest first', () => {
    const records = ['b.md', 'a.md', 'b.md'].map((path, index) => ({ ...run({ path }), id: String(index) }));
    const all = [...records, kept({ kind: 'ledger', origin: null, report: ledgerOf() }, '3')];
    expect(byPrompt(all).map(({ path, records: own }) => [path, own.map(({ id }) => id)])).toEqual([
      ['b.md', ['0', '2']],
      ['a.md', ['1']],
      [null, ['3']],
    ]);
    expect(byPrompt([])).toEqual([]);
  });
});

it.each([
  ['calls', 60, 100, '-40%'],
  ['calls', 100, 100, '0%'],
  ['calls', 5, 0, undefined],
  ['calls', 0, 0, '0%'],
  ['timeMs', 50, 100, '×0.5'],
  ['timeMs', 333.4, 100, '×3.3'],
  ['kl', 0.0101, 0.0001, '+0.01'],
  ['kl', 0.1, 0.3, '-0.2'],
  ['kl', 0.3, 0.3, '0'],
  ['kl', NaN, 0.3, undefined],
  ['perplexity', null, 3, undefined],
] as const)('a difference of %s, %j from %j, is %j', (name, value, base, expected) => {
  expect(differenceText(name, measuresOf({ [name]: value }), measuresOf({ [name]: base }))).toBe(expected);
});

describe('the parts of a record', () => {
  it('are named apart, and say what was measured of each', () => {
    const [comparison, evaluation, ledger, atlas, continuation, advice] = resultsOfEveryKind().slice(1).map(partsOf);
    expect(comparison.map(({ name, measures: { kl } }) => [name, kl])).toEqual([
      ['causal', 0],
      ['sliding-window(window 20)', 0.25],
    ]);
    // A scenario that is its own baseline has no divergence.
    expect(evaluation.map(({ measures: { kl } }) => kl)).toEqual([null, 0.5]);
    expect(ledger.map(({ name }) => name)).toEqual(['Theorem 3.5, tight, full', 'Theorem 3.5, paper, full']);
    expect(atlas.map(({ name }) => name)).toEqual(['causal', 'sliding-window(window 20), run']);
    expect(continuation.map(({ measures: { calls } }) => calls)).toEqual([24, 24]);
    expect(advice.map(({ name, measures: { kl, timeMs } }) => [name, kl, timeMs])).toEqual([
      ['answer', 0.01, 80],
      ['sliding-window(window 25)', 0.03, 75],
      ['tried', 0.04, 70],
    ]);
    const twice = ledgerOf();
    const parts = partsOf({ kind: 'ledger', origin: null, report: { ...twice, rows: [twice.rows[0], twice.rows[0]] } });
    expect(parts.map(({ name }) => name)).toEqual(['Theorem 3.5, tight, full', 'Theorem 3.5, tight, full (2)']);
  });
});

describe('a record as a page', () => {
  it.each(resultsOfEveryKind('<b>.md').map((result) => [result.kind, kept(result)] as const))(
    'has no markup of others: %s',
    (_, record) => {
      const html = recordHtml(record);
      expect(html).toMatch(/^<!DOCTYPE html>/);
      expect(html).not.toContain('<b>');
      expect(html).not.toMatch(/undefined|NaN|\[object/);
    },
  );

  it('holds two evaluations against each other, scenario by scenario', () => {
    const records = [evaluationOf({}, 0.5), evaluationOf({}, 0.7)].map((report) =>
      kept({ kind: 'evaluation', origin: null, file: null, report }),
    );
    const html = comparisonHtml(records);
    expect(html).toContain('<h1>Two Heads: 2 results compared</h1>');
    expect(html).toMatch(
      /sliding-window\(window 8\)<\/th><td class="number">KL<\/td><td class="number">0\.5<\/td><td class="number">0\.7<\/td><td class="number">\+0\.2</,
    );
  });

  it('holds ledgers against each other, row by row, also those that only one has', () => {
    const [one, other] = [ledgerOf({}, 10), ledgerOf({}, 5)];
    const records = [one, { ...other, rows: other.rows.slice(0, 1) }].map((report) => kept({ kind: 'ledger', origin: null, report }));
    const html = comparisonHtml(records);
    expect(html).toMatch(/tight, full<\/th>.*calls.*>10<.*>5<.*>-50%</);
    expect(html).toMatch(
      /paper, full<\/th><td class="number">calls<\/td><td class="number">10<\/td><td class="number">-<\/td><td class="number"><\/td>/,
    );
  });

  it('draws the masks of an advice below its limit, and has the file that repeats it', () => {
    const report = adviceOf([advisedMask(30, 0.01), advisedMask(20, 0.04)], [advisedMask(25, 0.03)]);
    const html = recordHtml(kept({ kind: 'advice', origin: null, report }));
    expect(html.match(/<path class="point/g)).toHaveLength(3 + 3);
    expect(html).toMatch(/<path class="limit" [^>]*\/?>.*limit 0\.02</s);
    expect(html).toContain("53% of causal attention's time");
    expect(html).toContain('&quot;sliding-window:30&quot;');
    const none = recordHtml(kept({ kind: 'advice', origin: null, report: adviceOf([], []) }));
    expect(none).toContain('causal attention is the answer');
    expect(none).not.toMatch(/<svg|Experiment file/);
  });

  it('says how a continuation went another way', () => {
    const html = recordHtml(kept({ kind: 'continuation', origin: null, report: continuationOf() }));
    expect(html).toContain('Both begin with the same 2 tokens.');
  });
});
