import { fork } from 'node:child_process';
import { PeakWatch } from '../../src/engine/memory';
import { openDevice } from '../../src/engine/attend/runtime/provider';
import { OurAttention, uniformData } from './ours';
import type { BenchContext, Figure, Section } from './section';

const heads = 8;
const headWidth = 64;
const mebibyte = 1024 * 1024;

/** In a process of its own: attends once and says the peak of its memory. @param tokens N, from the command line */
export async function measurePeak(tokens: number, threads: number): Promise<void> {
  const watch = new PeakWatch();
  const device = await openDevice('cpu', threads);
  const data = (): Float32Array => uniformData(heads * tokens * headWidth);
  const ours = OurAttention.create(
    { kind: 'sliding-window', window: 512 },
    128,
    undefined,
    heads,
    headWidth,
    [data(), data(), data()],
    device,
  );
  await ours.run();
  process.send?.(watch.peak().bytes);
  watch.end();
  await ours.release();
}

/** Peak memory of a window run against N, each in a fresh process. */
export async function memory({ quick, threads, log }: BenchContext): Promise<Section> {
  const rows: Record<string, Figure>[] = [];
  for (const tokens of quick ? [1024, 2048] : [8192, 16_384, 32_768, 65_536, 131_072]) {
    log(`peak memory, N = ${tokens}`);
    const child = fork(__filename, ['--peak', String(tokens), String(threads)]);
    const peak = await new Promise<number>((resolve, reject) => {
      child.once('message', (bytes) => resolve(bytes as number));
      child.once('exit', (code) => reject(new Error(`The process that was to measure the peak ended with ${code}.`)));
    });
    rows.push({ tokens, peakMiB: peak / mebibyte, perTokenKiB: peak / tokens / 1024 });
  }
  const first = rows[0];
  const last = rows[rows.length - 1];
  // Linear: from the first to the last N it grows no faster than N does.
  const growth = (Number(last.peakMiB) - Number(first.peakMiB)) / (Number(last.tokens) - Number(first.tokens));
  const middle = rows[rows.length >> 1];
  const expected = Number(first.peakMiB) + growth * (Number(middle.tokens) - Number(first.tokens));
  const bend = Math.abs(Number(middle.peakMiB) / expected - 1);
  return {
    name: 'memory',
    title: 'Peak memory of a run under a window of 512, 8 heads of 64, M = 128',
    method: 'Highest resident set of a fresh process that makes its data and attends once.',
    columns: { tokens: 'N', peakMiB: 'peak, MiB', perTokenKiB: 'KiB a token' },
    rows,
    goals: quick
      ? []
      : [
          {
            goal: 'Peak memory of a window run at N = 131,072 under 1.5 GB, growing linearly',
            measured: `${Number(last.peakMiB).toFixed(0)} MiB; off the line by ${(100 * bend).toFixed(1)}% in the middle`,
            reached: Number(last.peakMiB) * mebibyte < 1.5e9 && bend < 0.1,
          },
        ],
  };
}
