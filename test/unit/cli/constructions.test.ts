import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pictures } from '../../../src/core/draw/pictures';
import type { LedgerReport } from '../../../src/core/ledger/report';
import type { ComparisonReport, RunReport } from '../../../src/core/report/report';
import { run } from '../../support/cli';
import { samplePrompt } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';

const smallLedger = ['ledger', '--tokens', '150', '--block', '33', '--window', '9', '--sinks', '3', '--heads', '3', '--seeds', '2'];

async function simulated(...flags: string[]): Promise<RunReport> {
  const { code, stdout, stderr } = await run(['simulate', samplePrompt, '--max-tokens', '300', '--block', '64', '--json', ...flags]);
  const report = JSON.parse(stdout) as RunReport;
  expect(code, stderr).toBe(report.verdict.kind === 'failed' ? 1 : 0);
  return report;
}

describe('simulate through a black box', () => {
  it('is as exact as fused when tight, and makes the planned calls and what it repeats', async () => {
    const fused = await simulated();
    const tight = await simulated('--construction', 'tight');
    expect(tight.construction).toBe('tight');
    // Columns hide what the mask hides: the small transformer masks nothing by itself.
    expect(tight.oracle.causal).toBe(false);
    expect(tight.run.calls.attention).toBe(tight.plan.calls.attention + tight.run.calls.retries);
    // T = ceil(300 / 63) = 5, of whose tiles T(T + 1)/2 are visible; one call carries all 8 heads.
    expect(tight.plan.calls.attention).toBe(6 * 15);
    expect(tight.fidelity?.maxAbsError).toBeLessThan(10 * (fused.fidelity?.maxAbsError ?? 0));
    expect(tight.quality?.perplexity).toBeCloseTo(fused.quality?.perplexity ?? 0, 3);
  });

  it('shows what the literal formula of the paper loses on a trained model', async () => {
    const paper = await simulated('--construction', 'paper');
    expect(paper.plan.calls.attention).toBe(2 * 6 * 25);
    expect(paper.fidelity?.maxAbsError).toBeGreaterThan(1e-3);
    // Its predictions are held against an exact causal run, not against themselves.
    expect(paper.quality?.meanKl).toBeGreaterThan(1e-6);
  });

  it.each([
    [['--scenario', 'sliding-window', '--window', '40'], 40, 0],
    [['--scenario', 'attention-sink', '--window', '20', '--sinks', '4'], 20, 4],
  ])('makes fewer calls for %s than the paper, as many as their formulas say', async (flags, window, sinks) => {
    const tight = await simulated(...flags, '--construction', 'tight');
    const paper = await simulated(...flags, '--construction', 'paper');
    // The differences of the literal formula leave some rows of a trained model without a weight.
    expect([tight.verdict.kind, paper.verdict.kind]).toEqual(['exact', 'failed']);
    expect(tight.plan.calls.attention).toBe(6 * (sinks > 0 ? 7 : 9));
    expect(tight.plan.calls.attention).toBeLessThanOrEqual(tight.plan.bound.calls);
    expect(paper.plan.calls.attention).toBe(6 * (sinks > 0 ? 8 : 4) * Math.ceil(300 / (64 - window)));
    expect(tight.run.calls.attention - tight.run.calls.retries).toBe(tight.plan.calls.attention);
    expect(paper.run.calls.attention - paper.run.calls.retries).toBe(paper.plan.calls.attention);
    expect(tight.fidelity?.maxAbsError).toBeLessThan(1e-4);
  });

  it("packs instances into calls of L' layers and H' heads (lemma 3.3)", async () => {
    const packed = await simulated('--construction', 'tight', '--oracle-layers', '2', '--oracle-heads', '3', '--no-quality');
    expect(packed.plan.calls.attention).toBe(6 * (Math.ceil((5 * 8) / 6) + Math.ceil((10 * 8) / 6)));
    expect(packed.run.calls.attention - packed.run.calls.retries).toBe(packed.plan.calls.attention);
    expect(packed.fidelity?.maxAbsError).toBeLessThan(1e-4);
  });

  it('measures what theorem 4.1 assumes, over as many seeds as it is told', async () => {
    const { sampling } = await simulated('--scenario', 'average-case', '--seeds', '3', '--epsilon', '0.8', '--failure-probability', '0.02');
    expect(sampling).toMatchObject({ seeds: 3, epsilon: 0.8, failureProbability: 0.02, holds: false });
  });

  it('compares the scenarios that a prompt can have, and names the others', async () => {
    const { code, stdout, stderr } = await run([
      'compare',
      samplePrompt,
      '--max-tokens',
      '700',
      '--construction',
      'paper',
      '--no-quality',
      '--verify',
      'none',
      '--json',
    ]);
    expect(code).toBe(0);
    const { runs, refused } = JSON.parse(stdout) as ComparisonReport;
    expect(runs.map(({ scenario }) => scenario.kind)).toEqual(['full', 'causal', 'average-case']);
    expect(refused.map(({ scenario }) => scenario.kind)).toEqual(['sliding-window', 'attention-sink', 'local-window', 'top-k', 'adaptive']);
    expect(stderr).toMatch(/sliding-window\(window 512\) is left out: A window of 512 is not below the block size of 256/);
  });
});

describe('ledger', () => {
  it('prints one JSON document, and its progress on stderr', async () => {
    const { code, stdout, stderr } = await run([...smallLedger, '--json']);
    expect(code).toBe(0);
    const { rows, sampling, options } = JSON.parse(stdout) as LedgerReport;
    expect(options).toMatchObject({ tokens: 150, blockSize: 33, window: 9, sinks: 3, heads: 3 });
    expect(rows.length).toBe(20);
    expect(rows.every(({ countedCalls, exact, verdict }) => countedCalls === exact.calls && verdict !== 'failed')).toBe(true);
    expect(sampling.seeds).toBe(2);
    expect(stderr).toMatch(/ledger: +100%/);
  });

  it('prints a table for people, and draws the constructions on request', async () => {
    const { stdout } = await run(smallLedger);
    expect(stdout.match(/^(Lemma|Theorem|Any mask|Both sides) .*(exact|within|vacuous) /gm)?.length).toBe(20);
    expect(stdout).toMatch(/the assumption holds here/);
    const folder = join(temporaryFolder(), 'pictures');
    expect((await run(['ledger', '--pictures', folder])).code).toBe(0);
    expect(readdirSync(folder).length).toBe(pictures.length);
  });
});

describe('bad input of the constructions', () => {
  it.each([
    [['ledger', '--block', '1'], /--block of "1" is not possible; use a whole number from 2/],
    [['ledger', '--tokens', '0'], /--tokens of "0" is not possible/],
    [['ledger', '--window', '129'], /A window of 129 is not below the block size of 129.*use a block size of 130 or more/],
    [['ledger', '--sinks', '60'], /60 sinks are more than the window of 48.*; choose 48 or fewer/],
    [['ledger', '--scale', '0'], /--scale of "0" is not possible; use a number above 0/],
    [['ledger', '--seeds', '0'], /--seeds of "0" is not possible/],
    [['ledger', '--heads', 'x'], /--heads of "x" is not possible/],
    [['ledger', '--pictures', samplePrompt], /--pictures .* cannot be made .*; give the path of a folder/],
    [['simulate', samplePrompt, '--construction', 'loose'], /Construction "loose" is unknown; use one of fused, tight, paper/],
    [
      ['simulate', samplePrompt, '--construction', 'paper', '--scenario', 'sliding-window'],
      /A window of 512 is not below the block size of 256.*, or construction tight/,
    ],
    [
      ['simulate', samplePrompt, '--construction', 'tight', '--oracle-layers', '256', '--oracle-heads', '512'],
      /use .*--oracle-layers 1 and --oracle-heads 1/,
    ],
    [['simulate', samplePrompt, '--seeds', '3'], /--seeds 3 does nothing under scenario native; leave it out or choose average-case/],
    [['simulate', samplePrompt, '--scenario', 'average-case', '--epsilon', '2'], /--epsilon of "2" is not possible/],
    [['compare', samplePrompt, '--construction', 'paper', '--scenarios', 'causal,sliding-window'], /A window of 512 is not below/],
  ])('%j gives one line that names the value and the fix', async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.trimEnd().split('\n').length).toBe(1);
    expect(stderr).toMatch(message);
  });
});
