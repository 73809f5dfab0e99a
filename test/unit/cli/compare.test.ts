import { describe, expect, it } from 'vitest';
import { defaultOptions } from '../../../src/core/options/table';
import type { ComparisonReport } from '../../../src/core/report/report';
import { standardKinds } from '../../../src/core/scenario/scenario';
import { run } from '../../support/cli';
import { samplePrompt } from '../../support/paths';

const cut = ['--max-tokens', '120'];
const short = [...cut, '--block', '32'];

describe('compare', () => {
  it('runs every scenario on the same prompt', async () => {
    const { code, stdout } = await run(['compare', samplePrompt, ...short, '--window', '40', '--json']);
    expect(code).toBe(0);
    const { runs, prompt } = JSON.parse(stdout) as ComparisonReport;
    expect(runs.map(({ scenario }) => scenario.kind)).toEqual([
      'full',
      'causal',
      'sliding-window',
      'attention-sink',
      'local-window',
      'average-case',
      'top-k',
      'adaptive',
    ]);
    expect(runs.every((each) => each.prompt.sha256 === prompt.sha256)).toBe(true);
  });

  it('runs the scenarios that are named, in a table for people', async () => {
    const { stdout } = await run(['compare', samplePrompt, ...short, '--scenarios', 'causal,full', '--no-quality']);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    ).toEqual(['scenario', 'causal', 'full', 'causal:', 'full:']);
  });
});

describe('what a comparison can name', () => {
  const kindsOf = (stdout: string): string[] => (JSON.parse(stdout) as ComparisonReport).runs.map(({ scenario }) => scenario.kind);
  const unchecked = ['compare', samplePrompt, ...cut, '--no-quality', '--verify', 'none', '--json'];
  const quick = [...unchecked, '--block', '32'];

  it("is the model's own, a cycle of layers and a mask, too", async () => {
    const { stdout } = await run([
      ...quick,
      '--scenarios',
      'native,per-layer,custom',
      '--cycle',
      'full,sliding-window:9',
      '--mask',
      'k == q',
    ]);
    expect(kindsOf(stdout)).toEqual(['causal', 'per-layer', 'custom']);
  });

  it('is written beside all others', async () => {
    const { stdout } = await run([...quick, '--cycle', 'full,sliding-window:9']);
    expect(kindsOf(stdout)).toEqual([...standardKinds, 'per-layer']);
  });

  it('has a block size that is left to calibration', async () => {
    const { code, stdout } = await run([...unchecked, '--scenarios', 'causal', '--block', 'auto']);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as ComparisonReport).runs[0].oracle.inputLength).toBe(defaultOptions.blockSize);
  });
});
