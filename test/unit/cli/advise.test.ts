import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AdviceReport } from '../../../src/core/advise/report';
import type { ExperimentReport } from '../../../src/core/evaluate/report';
import { scenarioLabel } from '../../../src/core/scenario/scenario';
import { run } from '../../support/cli';
import { root, samplePrompt } from '../../support/paths';
import { writeTinyTokenizer } from '../../support/tiny-tokenizer';
import { temporaryFolder } from '../../support/temporary';

const folder = temporaryFolder(afterAll);

/** A golden checkpoint with a tokenizer of the words w0, w1, ...: 3 layers of 4 heads, and 64 positions. */
function withTokenizer(name: string): string {
  const model = join(folder, name);
  cpSync(join(root, 'test', 'golden', name), model, { recursive: true });
  writeTinyTokenizer(model, 200, false);
  return model;
}

const llama = withTokenizer('llama');
const prompt = join(folder, 'prompt.txt');
writeFileSync(prompt, Array.from({ length: 70 }, (_, index) => `w${(index * index * 31 + 7) % 199}`).join(' '));
const asked = ['advise', prompt, '--model', llama, '--block', '8'];
const saved = join(folder, 'advice.two-heads.json');
let report: AdviceReport;

beforeAll(async () => {
  const advised = await run([...asked, '--max-kl', '0.1', '--json', '--save', saved]);
  expect(advised.stderr).toContain(`experiment written to ${saved}`);
  expect(advised.code).toBe(0);
  report = JSON.parse(advised.stdout) as AdviceReport;
});

describe('advise', () => {
  it('finds masks that are measured within the limit, cheaper than causal attention, beside uniform ones as cheap', () => {
    const { answer, calls, uniform, tried, blocks, prompt: read, positions, verdict } = report;
    expect([blocks, calls, positions, read.windows]).toEqual([8, 3 * 36, 63, 1]);
    expect(answer?.kl.value).toBeLessThanOrEqual(0.1);
    expect(answer?.calls).toBeLessThan(0.8 * calls);
    expect(answer?.calls).toBe(Math.min(...tried.filter(({ kl }) => kl.value <= 0.1).map((mask) => mask.calls)));
    // Losses add up, and cuts tell them: of random weights not closely, but near enough to choose by.
    for (const { predictedKl, kl } of tried) {
      expect((predictedKl ?? 0) / kl.value).toBeGreaterThan(0.3);
      expect((predictedKl ?? 0) / kl.value).toBeLessThan(3);
    }
    const cheap = uniform.filter((mask) => mask.calls <= (answer?.calls ?? 0));
    expect(cheap.length).toBeGreaterThan(0);
    cheap.forEach(({ kl }) => expect(kl.value).toBeGreaterThan(answer?.kl.value ?? Infinity));
    expect(verdict.kind).toBe('exact');
  });

  it('writes an experiment file that gives the same again', async () => {
    const again = await run(['run', saved, '--json']);
    const { points } = JSON.parse(again.stdout) as ExperimentReport;
    const found = points.find(({ scenario }) => scenarioLabel(scenario) === (report.answer && scenarioLabel(report.answer.scenario)));
    expect(found?.quality?.divergence.mean.value).toBeCloseTo(report.answer?.kl.value ?? NaN, 7);
    expect(found?.cost.calls.attention).toBe(report.answer?.calls);
    expect(points).toHaveLength(1 + report.uniform.length);
    expect((JSON.parse(readFileSync(saved, 'utf8')) as { prompts: unknown }).prompts).toEqual(['prompt.txt']);
  });

  it('tells people what it found by head, and prints the file', async () => {
    const picture = join(folder, 'advice.svg');
    const { code, stdout, stderr } = await run([...asked, '--max-kl', '0.3', '--by', 'head', '--picture', picture]);
    expect(code).toBe(0);
    expect(stderr).toContain(`picture written to ${picture}`);
    expect(readFileSync(picture, 'utf8')).toMatch(/^<svg.*Masks head by head: llama on prompt\.txt.*limit 0\.3</s);
    expect(stdout).toMatch(/\n {2}heads? \d.*: custom\(k <= q and /);
    expect(stdout).toMatch(/attention calls of 108 \(\d+(\.\d)?%\) at a mean KL of 0\.\d+, predicted/);
    expect(stdout).toMatch(/\nanswer +\d+ /);
    expect(stdout).toMatch(/"per-head:/);
  });

  it('says so where no mask will do, and prints no file', async () => {
    const picture = join(folder, 'none.svg');
    const { code, stdout, stderr } = await run([...asked, '--max-kl', '1e-9', '--picture', picture]);
    expect(code).toBe(0);
    expect(stderr).toContain(`no picture written to ${picture}: no mask was measured`);
    expect(existsSync(picture)).toBe(false);
    expect(stdout).toContain('causal attention is the answer');
    expect(stdout).not.toContain('{');
  });

  it('is of causal attention: a model of windows is refused', async () => {
    const { code, stderr } = await run(['advise', prompt, '--model', withTokenizer('mistral'), '--block', '8', '--max-kl', '0.1']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^two-heads: mistral has attention of its own, sliding-window\(window \d+\), and advice is of what causal/);
  });

  it.each([
    [[], /required option '--max-kl <x>'|--max-kl/],
    [['--max-kl', '0'], /--max-kl .*"0".*above 0/],
    [['--max-kl', 'few'], /--max-kl .*"few"/],
    [['--max-kl', 'Infinity'], /--max-kl .*"Infinity"/],
    [['--max-kl', '0.1', '--scenario', 'causal'], /advise has no --scenario; it finds the masks itself/],
    [['--max-kl', '0.1', '--out', 'x'], /advise has no --out; use --save/],
    [
      ['--max-kl', '0.1', '--context', '40', '--block', '16'],
      /A window of 40 tokens has 3 blocks of 16, too few to choose among; give a longer text, or --block 2/,
    ],
    [['--max-kl', '0.1', '--model', 'mistral-7b-v0.1'], /mistral-7b-v0\.1/],
  ])('refuses %j in one line', async (flags, reason) => {
    const { code, stderr, stdout } = await run(['advise', samplePrompt, ...flags]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.trim()).toMatch(reason);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
