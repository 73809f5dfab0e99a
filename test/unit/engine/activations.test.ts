import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runVerdict } from '../../../src/core/report/verdict';
import type { GenerationReport } from '../../../src/core/generate/report';
import type { RunReport } from '../../../src/core/report/report';
import { run } from '../../support/cli';
import { writeQ8Model } from '../../support/q8-model';
import { temporaryFolder } from '../../support/temporary';

const prompt = 'Weights of eight bits, and what is multiplied with them. '.repeat(3);

describe('activations in int8', () => {
  let model: string;
  beforeAll(async () => {
    model = await writeQ8Model(temporaryFolder(afterAll));
  });

  const simulate = (...given: readonly string[]) => run(['simulate', '-', '--threads', '1', '--block', '64', '--json', ...given], prompt);
  const reported = async (...given: readonly string[]): Promise<RunReport> => {
    const { stdout, stderr } = await simulate('--model', model, ...given);
    expect(stderr).not.toMatch(/^two-heads:/m);
    return JSON.parse(stdout) as RunReport;
  };

  it('are reported with their error, which is not the rounding of float32', async () => {
    const exact = await reported();
    expect(exact.verdict.kind).toBe('exact');
    expect(exact.run.activations).toBeUndefined();
    expect(exact.fidelity?.tokenwise?.maxRelError).toBeLessThan(1e-5);
    const rounded = await reported('--activations', 'int8');
    expect(rounded.run.activations).toBe('int8');
    const { tokenwise } = rounded.fidelity ?? expect.fail();
    expect(tokenwise?.activations).toBe('int8');
    expect(tokenwise?.maxRelError).toBeGreaterThan(1e-4);
    expect(tokenwise?.maxRelError).toBeLessThan(tokenwise?.bound ?? NaN);
    expect(rounded.verdict).toMatchObject({ kind: 'within', bound: tokenwise?.bound, measured: tokenwise?.maxRelError });
    // Attention itself is as exact as before.
    expect(rounded.fidelity?.wrongRows).toEqual([]);
    const wrong = { ...rounded.fidelity, tokenwise: { ...tokenwise, wrongRows: [{ layer: 0, row: 1 }] } };
    expect(runVerdict({ ...rounded, fidelity: wrong, native: true, precision: 'float32' } as never).kind).toBe('failed');
  });

  it('continue a prompt', async () => {
    const { stdout, stderr } = await run(
      ['generate', '-', '--model', model, '--tokens', '4', '--activations', 'int8', '--threads', '1', '--json'],
      prompt,
    );
    expect(stderr).not.toMatch(/^two-heads:/m);
    const report = JSON.parse(stdout) as GenerationReport;
    expect(report.verdict.kind).toBe('within');
    expect(report.continuation.tokens).toHaveLength(4);
  });

  it.each([
    [['--verify', 'none'], 'have an error that --verify none would not measure; use --verify rows, or --activations float32.'],
    [['--executor', 'compiled'], 'are for runs tile by tile; leave --executor and --precision out, or --activations float32.'],
  ])('are refused with %j', async (given, reason) => {
    const { code, stderr } = await simulate('--model', model, '--activations', 'int8', ...given);
    expect(code).toBe(2);
    expect(stderr).toContain(`Activations "int8" ${reason}`);
  });

  it('are refused where no weights are packed', async () => {
    const { code, stderr } = await simulate('--model', 'induction-bytes', '--activations', 'int8');
    expect(code).toBe(2);
    expect(stderr).toContain('induction-bytes has no packed weights, so --activations int8 changes nothing; leave it out.');
  });
});
