import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GenerationReport } from '../../../src/core/generate/report';
import type { ComparisonReport, RunReport } from '../../../src/core/report/report';
import type { ExperimentReport } from '../../../src/core/evaluate/report';
import type { Pass } from '../../../src/engine/attend/pass';
import { reportsFrom } from '../../../src/engine/read/report/reports';
import { run } from '../../support/cli';
import { embeddedFolder, sampleText } from '../../support/paths';
import { f32, safetensorsFile, type StoredTensor } from '../../support/safetensors-writer';
import { temporaryFolder } from '../../support/temporary';

/** Whether the executor is broken: one query block of zeros in every head and layer. */
const broken = vi.hoisted(() => ({ now: false }));

vi.mock(import('../../../src/engine/attend/pass'), async (original) => {
  const own = await original();
  const passOf: typeof own.passOf = (...chosen) => {
    const pass: Pass = (given) =>
      own.passOf(...chosen)({
        ...given,
        inspect: async (layer, tensors, attended, ...rest) => {
          if (broken.now) {
            const { heads, tokens, width, data } = attended.out;
            for (let head = 0; head < heads; head += 1) {
              data.fill(0, (head * tokens + 64) * width, (head * tokens + 128) * width);
            }
          }
          await given.inspect?.(layer, tensors, attended, ...rest);
        },
      });
    return pass;
  };
  return { ...own, passOf };
});

beforeEach(() => {
  broken.now = false;
});

let prompt: string;
beforeAll(() => {
  prompt = join(temporaryFolder(afterAll), 'prompt.md');
  writeFileSync(prompt, sampleText().slice(0, 560));
});

const small = ['--block', '64', '--json'];

describe('a broken executor', () => {
  it.each([
    [
      ['simulate', '--scenario', 'sliding-window', '--window', '40', '--no-quality'],
      /^two-heads: The run failed: Row \d+ of head \d in layer 1 is off by /m,
    ],
    [['simulate', '--baseline', 'dense'], /^two-heads: The run failed: Its predictions differ from those of dense attention/m],
    [['compare', '--scenarios', 'causal,sliding-window', '--no-quality'], /^two-heads: The run under causal failed: Row /m],
    [['generate', '--tokens', '2', '--no-baseline'], /^two-heads: The run failed: /m],
    [['evaluate', '--scenario', 'sliding-window:40'], /^two-heads: The evaluation of sliding-window\(window 40\) failed: /m],
  ])('ends %j with exit code 1, its report printed', async ([command, ...flags], said) => {
    const whole = await run([command, prompt, ...small, ...flags]);
    expect(whole.code).toBe(0);
    broken.now = true;
    const { code, stdout, stderr } = await run([command, prompt, ...small, ...flags]);
    expect(stderr).toMatch(said);
    expect(code).toBe(1);
    expect((JSON.parse(stdout) as { verdict: { kind: string } }).verdict.kind).toBe('failed');
    expect(stdout).not.toMatch(/"onFront": ?true/);
  });

  it('passes no budget', async () => {
    const file = join(temporaryFolder(), 'x.two-heads.json');
    writeFileSync(file, JSON.stringify({ version: 1, prompts: [prompt], scenarios: ['sliding-window:40'], blocks: [64] }));
    expect((await run(['check', file, '--max-kl', '100'])).code).toBe(0);
    broken.now = true;
    const { code, stderr } = await run(['check', file, '--max-kl', '100']);
    expect([code, /failed \(Row \d+ of head \d in layer 1 is off by/.test(stderr)]).toEqual([1, true]);
  });
});

describe('a run that overflows', () => {
  let folder: string;
  beforeAll(() => {
    folder = join(temporaryFolder(afterAll), 'overflowing');
    cpSync(embeddedFolder, folder, { recursive: true });
    const bytes = readFileSync(join(folder, 'model.safetensors'));
    const length = Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<
      string,
      { dtype: string; shape: number[]; data_offsets: [number, number] }
    >;
    const tensors = Object.entries(header).filter(([name]) => name !== '__metadata__');
    const stored = tensors.map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]): [string, StoredTensor] => [
        name,
        name.endsWith('layers.2.self_attn.v_proj.weight')
          ? f32(
              shape,
              Array.from({ length: shape[0] * shape[1] }, () => 3.3e38),
            )
          : { dtype, shape, data: bytes.subarray(8 + length + from, 8 + length + to) },
      ],
    );
    writeFileSync(join(folder, 'model.safetensors'), safetensorsFile(Object.fromEntries(stored)));
  });

  it.each(['rows', 'none'])(
    'fails with --verify %s, and its JSON has words for what is not finite, which two-heads report reads',
    async (verify) => {
      const out = join(temporaryFolder(), 'report.json');
      const { code, stderr } = await run(['simulate', prompt, '--model', folder, '--block', '64', '--verify', verify, '--out', out]);
      expect(stderr).toMatch(/^two-heads: The run failed: .*overflowed/m);
      expect(code).toBe(1);
      const text = readFileSync(out, 'utf8');
      const written = JSON.parse(text) as RunReport;
      expect(written.quality?.perplexity).toBe('NaN');
      if (verify === 'rows') {
        expect(['Infinity', 'NaN']).toContain(written.fidelity?.maxAbsError);
      }
      expect(written.verdict.reason).toContain('overflowed');
      const [read] = reportsFrom(text, 'report.json');
      expect(read.quality?.perplexity).toBeNaN();
      expect(read.verdict.kind).toBe('failed');
      for (const format of ['html', 'markdown', 'csv']) {
        const shown = await run(['report', out, '--format', format]);
        expect([shown.code, /FAILED|failed/.test(shown.stdout), /NaN/.test(shown.stdout)]).toEqual([0, true, true]);
      }
    },
  );

  it.each([
    [['simulate', '--no-quality']],
    [['simulate', '--no-quality', '--shards', '2', '--scenario', 'sliding-window', '--window', '16']],
    [['compare', '--no-quality', '--scenarios', 'causal']],
  ])('fails in %j with nothing verified and nothing scored', async ([command, ...flags]) => {
    const { code, stderr } = await run([command, prompt, '--model', folder, ...small, '--verify', 'none', ...flags]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/failed: (The residual stream of \d+ rows|The predictions .*) overflowed/)]);
  });

  it.each([['rows'], ['none']])('fails where a prompt is continued with --verify %s, with all that was read', async (verify) => {
    const flags = [
      '--model',
      folder,
      '--block',
      '64',
      '--tokens',
      '2',
      '--scenario',
      'sliding-window',
      '--window',
      '40',
      '--verify',
      verify,
    ];
    const { code, stdout, stderr } = await run(['generate', prompt, ...flags, '--json']);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^two-heads: The run failed: The predictions are not numbers/m)]);
    const { continuation, baseline, verdict } = JSON.parse(stdout) as GenerationReport;
    expect([continuation.ended, continuation.tokens, baseline?.ended, verdict.kind]).toEqual(['no-numbers', [], 'no-numbers', 'failed']);
    const shown = await run(['generate', prompt, ...flags]);
    expect(shown.stdout).toMatch(/0 tokens, then logits that are not numbers[^]*\nVerdict: FAILED: The predictions are not numbers/);
    expect(shown.stdout).not.toMatch(/NaN|Infinity/);
  });

  it('finds nothing that is hidden, and has no rank', async () => {
    const asked = ['--retrieval', 'single,repeated', '--retrieval-lengths', '140', '--retrieval-depths', '0.5', '--max-windows', '1'];
    const { code, stdout } = await run(['evaluate', prompt, '--model', folder, ...small, '--scenario', 'sliding-window:40', ...asked]);
    const { verdict, points } = JSON.parse(stdout) as ExperimentReport;
    expect([code, verdict.kind, points[0].retrieval?.found]).toEqual([1, 'failed', 0]);
    expect(points[0].retrieval?.cases.map(({ measured, rank }) => [measured, rank])).toEqual([
      ['lost', 'NaN'],
      ['lost', 'NaN'],
    ]);
  });
});

describe('the model’s own attention', () => {
  it('says that it is its own baseline in place of a divergence of 0, and is compared with a dense one on request', async () => {
    const json = async (...args: string[]): Promise<unknown> => JSON.parse((await run([...args, ...small])).stdout);
    const own = (await json('simulate', prompt, '--scenario', 'causal')) as RunReport;
    expect(own.quality).toMatchObject({ ownBaseline: true, baselineBy: 'own', meanKl: 0 });
    // So is a window that covers the prompt.
    const covering = await run(['simulate', prompt, '--block', '64', '--scenario', 'attention-sink', '--window', '9000']);
    expect(covering.stdout).toMatch(/quality .* its own baseline/);
    expect(covering.stdout).toMatch(/\n +time .* \(project [^;]*, other [^;]*; not part of it: tokenize .*, verify .*, quality [^;]*\)\n/);
    const { runs } = (await json(
      'compare',
      prompt,
      '--scenarios',
      'causal,sliding-window',
      '--window',
      '40',
      '--baseline',
      'dense',
    )) as ComparisonReport;
    expect(runs.map(({ quality }) => [quality?.ownBaseline, quality?.baselineBy])).toEqual([
      [false, 'dense'],
      [false, 'dense'],
    ]);
    const [causal, windowed] = runs.map(({ quality }) => quality?.meanKl ?? NaN);
    expect(causal).toBeLessThan(1e-10);
    expect(windowed).toBeGreaterThan(1e-3);
    const evaluated = (await json('evaluate', prompt, '--scenario', 'sliding-window:9000,sliding-window:40')) as ExperimentReport;
    expect(evaluated.points.map(({ ownBaseline, verdict }) => [ownBaseline, verdict.kind])).toEqual([
      [true, 'exact'],
      [false, 'exact'],
    ]);
    const dense = (await json('evaluate', prompt, '--scenario', 'causal,sliding-window:40', '--baseline', 'dense')) as ExperimentReport;
    expect(dense.points.map(({ ownBaseline }) => ownBaseline)).toEqual([false, false]);
    expect(Math.log10(dense.points[0].quality?.divergence.mean.value ?? NaN)).toBeLessThan(-10);
    expect(dense.points[1].quality?.divergence.mean.value).toBeCloseTo(evaluated.points[1].quality?.divergence.mean.value ?? NaN, 5);
    expect(((await json('generate', prompt, '--tokens', '1', '--scenario', 'causal')) as GenerationReport).verdict.kind).toBe('exact');
  });

  it('has no dense baseline where nothing is compared with it', async () => {
    const refused = await run(['simulate', prompt, '--baseline', 'dense', '--no-quality']);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      'two-heads: --baseline dense does nothing without quality, which --no-quality turns off; leave out one of the two.\n',
    ]);
    const sharded = await run([
      'simulate',
      prompt,
      '--baseline',
      'dense',
      '--shards',
      '2',
      '--scenario',
      'sliding-window',
      '--window',
      '16',
    ]);
    expect([sharded.code, /Baseline "dense" attends over the whole prompt/.test(sharded.stderr)]).toEqual([2, true]);
  });
});
