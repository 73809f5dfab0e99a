import { describe, expect, it } from 'vitest';
import type { GenerationReport } from '../../../src/core/generate/report';
import { run } from '../../support/cli';
import { samplePrompt } from '../../support/paths';
import { trainedOn } from '../../support/trained';

const prompt = ['generate', samplePrompt, '--max-tokens', '150', '--block', '32'];
const short = [...prompt, '--tokens', '8'];

describe('generate', () => {
  it('prints one JSON document', async () => {
    const { code, stdout } = await run([...short, '--scenario', 'sliding-window', '--window', '8', '--json']);
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as GenerationReport;
    expect(Object.keys(report)).toEqual([
      'schemaVersion',
      'prompt',
      'model',
      'oracle',
      'generation',
      'continuation',
      'baseline',
      'sameTokens',
      'verdict',
      'run',
      'environment',
    ]);
    expect(report.generation).toEqual({ tokens: 8, baseline: true, temperature: 0, topK: 0, topP: 1, seed: 1 });
    expect(report.continuation.tokens.length).toBeLessThanOrEqual(8);
    expect(report.continuation.scenario).toEqual({ kind: 'sliding-window', window: 8 });
    expect(report.baseline?.scenario).toEqual({ kind: 'causal' });
  });

  it('prints both texts for people', async () => {
    const { stdout, stderr } = await run([...short, '--scenario', 'attention-sink', '--window', '8', '--sinks', '2']);
    expect(stdout).toMatch(/attention-sink\(window 8, sinks 2\):\n {2}\| /);
    expect(stdout).toMatch(/causal, the model's own attention:\n {2}\| /);
    expect(stdout).toMatch(/cache of 10 keys after 157 tokens/);
    expect(stdout).toMatch(/(Both begin with the same \d tokens?|They differ from the first token on|Both are the same)\.\n/);
    expect(stderr).toMatch(/^generate:/);
  });

  it('says where the text goes past the length that the model was trained on', async () => {
    const { stdout } = await run([...short, '--no-baseline', '--model', trainedOn(152)]);
    expect(stdout).toMatch(/\n\n157 tokens are past the 152 that the model was trained on: .*\n/);
  });

  it('leaves the baseline out on demand, and samples', async () => {
    const { stdout } = await run([
      ...short,
      '--scenario',
      'sliding-window',
      '--no-baseline',
      '--temperature',
      '1.5',
      '--top-k',
      '100',
      '--top-p',
      '0.9',
      '--sample-seed',
      '4',
    ]);
    expect(stdout).toMatch(/\(temperature 1\.5, top 100, top p 0\.9, seed 4\)/);
    expect(stdout).not.toMatch(/own attention/);
  });

  it.each([
    [['--score', 'last-half'], /generate has no --score; it measures no quality of the prompt; two-heads simulate --score does/],
    [['--no-quality'], /generate has no --no-quality; it measures no quality of the prompt; leave it out/],
    [['--tokens', '0'], /--tokens of "0" is not possible; use a whole number from 1 to 10000\./],
    [['--top-k', '5'], /--top-k 5 does nothing without --temperature; add --temperature 1 or leave it out\./],
    [['--temperature', '0'], /--temperature of "0" is not possible; use a number above 0 and up to 100, or greedy\./],
    [['--temperature', '1', '--top-p', '1.5'], /--top-p of "1\.5" is not possible; use a number above 0 and up to 1\./],
    [['--scenario', 'average-case'], /lets a token see tokens that do not exist yet; use causal, sliding-window or attention-sink\./],
    [['--model', 'llama-3.1-8b'], /llama-3\.1-8b can be planned, not run/],
  ])('refuses in one line: %s', async (flags, message) => {
    const { code, stderr } = await run([...prompt, ...flags]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});
