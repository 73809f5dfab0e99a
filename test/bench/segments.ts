import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RunReport } from '../../src/core/report/report';
import type { BenchContext, Figure, Section } from './section';

const mebibyte = 1024 * 1024;

/** The window of the goal. */
const window = ['--scenario', 'attention-sink', '--window', '512', '--sinks', '4'];

/** Peak memory and time of runs of the model that ships, with their checks, against N: each in a fresh process of the command line. */
export async function segments({ quick, threads, log }: BenchContext): Promise<Section> {
  const lengths = quick ? [1024, 2048] : [65_536, 131_072, 262_144, 524_288, 1_048_576];
  const folder = mkdtempSync(join(tmpdir(), 'two-heads-segments-'));
  const rows: Record<string, Figure>[] = [];
  try {
    const prompt = join(folder, 'prompt.md');
    const sample = readFileSync(join(process.cwd(), 'media', 'samples', 'prompt.md'), 'utf8');
    writeFileSync(prompt, sample.repeat(Math.ceil((6 * lengths[lengths.length - 1]) / sample.length)));
    for (const length of lengths) {
      log(`segments, N = ${length}`);
      const args = [join(process.cwd(), 'dist', 'cli.js'), 'simulate', prompt, ...window, '--no-quality', '--max-tokens', String(length)];
      const { stdout } = await promisify(execFile)(process.execPath, [...args, '--threads', String(threads), '--json'], {
        maxBuffer: 256 * mebibyte,
      });
      const { prompt: read, run, verdict } = JSON.parse(stdout) as RunReport;
      rows.push({
        tokens: read.tokens,
        segments: run.segments ?? 1,
        planned: Math.round((run.memory?.peak ?? NaN) / mebibyte),
        peak: Math.round(run.peakRssBytes / mebibyte),
        seconds: run.wallMs / 1000,
        perToken: (1000 * run.wallMs) / read.tokens,
        check: run.phases.verify / run.wallMs,
        verdict: verdict.kind,
      });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const [first, last] = [rows[0], rows[rows.length - 1]];
  const slower = Number(last.perToken) / Number(first.perToken);
  return {
    name: 'segments',
    title: 'A long prompt under a window of 512 with 4 sinks, the model that ships',
    method: 'The sample again and again, each length once in a fresh process, with the checks of every run.',
    columns: {
      tokens: 'N',
      segments: 'segments',
      planned: 'planned, MiB',
      peak: 'peak, MiB',
      seconds: 's',
      perToken: 'µs a token',
      check: 'check, of the run',
      verdict: 'verdict',
    },
    rows,
    goals: quick
      ? []
      : [
          {
            goal: 'A million tokens under a window of 512 with 4 sinks within 3 GiB, in time linear in N',
            measured: `${last.peak} MiB; ${slower.toFixed(2)} times as long a token as at N = ${first.tokens}; ${last.verdict}`,
            reached: Number(last.peak) < 3 * 1024 && slower < 1.25 && last.verdict === 'exact',
          },
        ],
  };
}
