import { describe, expect, it } from 'vitest';
import type { PlanDocument } from '../../../src/core/report/report';
import { run } from '../../support/cli';
import { samplePrompt } from '../../support/paths';
import { trainedOn } from '../../support/trained';

describe('a prompt past the length of its model', () => {
  const note = 'note: 120 tokens are past the 50 that the model was trained on: its predictions there are worse under any mask.';
  const past = ['--max-tokens', '120', '--block', '32', '--model'];

  it('is planned with a note, in text and in JSON', async () => {
    const { stdout } = await run(['plan', samplePrompt, ...past, trainedOn(50)]);
    expect(stdout).toMatch(/ {2}context +120 of 50 tokens, 240%\n/);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(`  ${note}`);
    const { plan, model } = JSON.parse((await run(['plan', samplePrompt, ...past, trainedOn(50), '--json'])).stdout) as PlanDocument;
    expect(plan.notes).toEqual([note.slice('note: '.length)]);
    expect(model.shape.trainedTokens).toBe(50);
  });

  it('is run with quality on both sides, and the note last', async () => {
    const window = ['--scenario', 'sliding-window', '--window', '16', '--verify', 'none'];
    const { stdout } = await run(['simulate', samplePrompt, ...past, trainedOn(50), ...window]);
    expect(stdout).toMatch(
      / {2}quality +perplexity .*\n {4}within 50 +perplexity .* mean KL .*\n {4}past 50 +perplexity .* mean KL .*\n(?: {4}.*\n)*.*verdict .*\n {2}note: 120 tokens/,
    );
    const compared = await run(['compare', samplePrompt, ...past, trainedOn(50), '--scenarios', 'causal,sliding-window', '--window', '16']);
    const lines = compared.stdout.trimEnd().split('\n');
    const [header, , row] = lines;
    expect(header).toMatch(/mean KL {2}KL touched {2}KL within 50 {2}KL past 50$/);
    expect(row).toMatch(/^sliding-window\(window 16\) .* [\d.e-]+ +[\d.e-]+ +[\d.e-]+$/);
    expect(lines.at(-1)).toBe(`  ${note}`);
  });

  it('says how much of the context it takes', async () => {
    expect((await run(['plan', samplePrompt, '--max-tokens', '100'])).stdout).toMatch(/ {2}context +100 of 2,048 tokens, 5%\n/);
  });
});
