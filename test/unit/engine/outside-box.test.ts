import { describe, expect, it } from 'vitest';
import { runText } from '../../../src/cli/simulate-text';
import { defaultOptions } from '../../../src/core/options/table';
import { runFigures } from '../../../src/core/report/figures';
import { toJson } from '../../../src/core/report/json';
import { planText } from '../../../src/core/report/result-text';
import type { RunReport } from '../../../src/core/report/report';
import { reportsFrom } from '../../../src/engine/read/report/reports';
import { promptFromText } from '../../../src/engine/read/prompt';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { simulate } from '../../../src/engine/tasks/simulate';
import { modelsFolder, sampleText } from '../../support/paths';

function runOf(construction: 'fused' | 'tight' | 'paper'): Promise<RunReport> {
  const options = { ...defaultOptions, construction, blockSize: 16, maxTokens: 50, quality: false };
  const places = { modelsFolder, calibrations: new CalibrationStore('/nonexistent'), signal: new AbortController().signal };
  return simulate(promptFromText('sample', sampleText()), options, { ...places, onProgress: () => undefined });
}

describe('what runs outside a black box', () => {
  it.each(['tight', 'paper'] as const)('is said of a run under %s, as counted in it', async (construction) => {
    const report = await runOf(construction);
    const { run, plan, outsideBox } = report;
    expect(outsideBox).toEqual({ calls: run.calls.tokenwise, flops: plan.flops - plan.flopsByPhase.attend });
    // Two halves of each of 6 layers, and 50 tokens by 16.
    expect(outsideBox?.calls).toBe(2 * 6 * 4);
    const said = /projections, norms and MLPs in 48 token-wise calls \(\S+ \S+, \d+(?:\.\d)?% of the work\), and uncounted embeddings/;
    expect(runText(report)).toMatch(said);
    expect(planText(report)).toMatch(said);
    expect(runFigures(report).find(([name]) => name === 'Outside the box')?.[1]).toMatch(said);
    expect(reportsFrom(toJson(report), 'report.json')).toEqual([report]);
  });

  it('is not said where there is no black box', async () => {
    const report = await runOf('fused');
    expect('outsideBox' in report).toBe(false);
    expect(runText(report)).not.toContain('outside the box');
  });
});
