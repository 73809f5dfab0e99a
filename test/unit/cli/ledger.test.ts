import { describe, expect, it } from 'vitest';
import type { LedgerReport } from '../../../src/core/ledger/report';
import type { RunReport } from '../../../src/core/report/report';
import { run } from '../../support/cli';
import { samplePrompt } from '../../support/paths';

const small = ['ledger', '--tokens', '150', '--block', '33', '--window', '9', '--sinks', '3', '--heads', '3', '--seeds', '2'];

describe('what a ledger prints', () => {
  it('is one JSON document on stdout, and nothing but progress that never falls on stderr', async () => {
    const { code, stdout, stderr } = await run([...small, '--json']);
    expect(code).toBe(0);
    // A second document, or a line of anything else, would be no JSON.
    const report = JSON.parse(stdout) as LedgerReport;
    expect(Object.keys(report)).toEqual(['schemaVersion', 'options', 'rows', 'sampling', 'samplingVerdict', 'environment']);
    expect(stdout).toBe(`${JSON.stringify(report, null, 2)}\n`);
    const percents = stderr
      .trimEnd()
      .split('\n')
      .map((line) => Number(/^ledger: +(\d+)% (?:attend|verify), ./.exec(line)?.[1]));
    expect(percents.length).toBeGreaterThan(3);
    // A line of another form is NaN, which is not above anything.
    expect(percents.every((percent, index) => percent >= (index === 0 ? 0 : percents[index - 1]))).toBe(true);
    expect(percents.at(-1)).toBe(100);
  });

  it('has for people the same rows, with the same counts and verdicts, and the formula of each', async () => {
    const [json, text] = await Promise.all([run([...small, '--json']), run(small)]);
    const { rows } = JSON.parse(json.stdout) as LedgerReport;
    const lines = text.stdout.split('\n');
    const head = lines.findIndex((line) =>
      /^statement +construction +scenario +calls +calls M\/N +formula +bound +lower bound /.test(line),
    );
    expect(head).toBeGreaterThan(0);
    rows.forEach((row, index) => {
      const numbers = [row.countedCalls, '\\S+', row.exact.calls, row.bound.calls, row.lowerBound, row.rounds].join(' +');
      // Nothing was called again at this scale of the scores: a count stands alone in its cell.
      expect(lines[head + 1 + index]).toMatch(
        new RegExp(
          `^${row.statement.replace(/[()]/g, '\\$&')} +${row.construction} +${row.scenario.kind}.* +${numbers} .* ${row.verdict} `,
        ),
      );
      expect(lines).toContain(`  ${row.statement}, ${row.construction}: ${row.exact.formula} = ${row.exact.calls}`);
      // What a statement does not read is no error of 0, and none that was not finite.
      expect(/ - +\S+ +exact /.test(lines[head + 1 + index])).toBe(!row.readsNormaliser);
    });
    expect(lines[head + 1 + rows.length]).toBe('');
  });
});

describe('a ledger that cannot be', () => {
  it.each([
    [
      ['--window', '200', '--block', '129'],
      /A window of 200 is not below the block size of 129.*; use a block size of 201 or more, a window of 128 or less/,
    ],
    [['--window', '9', '--sinks', '10'], /10 sinks are more than the window of 9.*; choose 9 or fewer, or construction tight/],
    [['--scale', 'abc'], /--scale of "abc" is not possible; use a number above 0 and up to 1000/],
    [['--scale', '1001'], /--scale of "1001" is not possible; use a number above 0 and up to 1000/],
    [['--seeds', '1.5'], /--seeds of "1\.5" is not possible; use a whole number from 1/],
    [['--oracle-heads', '0'], /--oracle-heads of "0" is not possible; use a whole number from 1/],
    [['--oracle-layers', 'x'], /--oracle-layers of "x" is not possible; use a whole number from 1/],
    [['--layers', '0'], /--layers of "0" is not possible; use a whole number from 1/],
    [['--seed', '-1'], /--seed of "-1" is not possible; use a whole number from 0/],
    [['--threads', 'x'], /--threads of "x" is not possible; use a whole number from 0/],
    [['--scenario', 'full'], /unknown option '--scenario'.*see two-heads --help/],
  ])('for %j is refused in one line that names the value and the fix, before anything runs', async (flags, message) => {
    const { code, stdout, stderr } = await run(['ledger', ...flags]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    // Not even progress: one line is all there is.
    expect(stderr).toMatch(/^[^\n]+\n$/);
    expect(stderr).toMatch(message);
  });
});

describe('a prompt through a black box', () => {
  it('stays within 1e-4 of float64 under causal attention when tight, and is reported to be further off with the calls of the paper', async () => {
    const flags = ['simulate', samplePrompt, '--max-tokens', '300', '--block', '64', '--no-quality', '--json'];
    const errorOf = async (construction: string): Promise<number> => {
      const { code, stdout, stderr } = await run([...flags, '--construction', construction]);
      expect(code, stderr).toBe(0);
      return (JSON.parse(stdout) as RunReport).fidelity?.maxAbsError ?? NaN;
    };
    const [fused, tight, paper] = [await errorOf('fused'), await errorOf('tight'), await errorOf('paper')];
    // The limit that the extension holds every exact run to.
    expect(tight).toBeLessThan(1e-4);
    // Both round scores to float32 and differ in how often states are merged: a factor of 10 either way is another arithmetic.
    expect(tight).toBeLessThan(10 * fused);
    expect(fused).toBeLessThan(10 * tight);
    expect(paper).toBeGreaterThan(10 * tight);
  });
});
