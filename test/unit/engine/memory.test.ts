import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { RunReport } from '../../../src/core/report/report';
import { PeakWatch } from '../../../src/engine/memory';
import { root, samplePrompt } from '../../support/paths';

const mebibyte = 1024 ** 2;

/** Bytes that are touched, so that they are resident. */
function touched(bytes: number): Uint8Array {
  return new Uint8Array(bytes).fill(1);
}

describe('the peak of a run', () => {
  afterEach(() => vi.restoreAllMocks());

  it('is that of the run alone, whatever ran before it', () => {
    const large = new PeakWatch();
    const held = [touched(400 * mebibyte)];
    expect(held).toHaveLength(1);
    const high = large.peak();
    expect(high.bytes).toBeGreaterThan(large.startBytes + 350 * mebibyte);
    held.pop();
    large.end();
    const small = new PeakWatch();
    expect(touched(10 * mebibyte).length).toBeGreaterThan(0);
    expect(small.peak().bytes).toBeLessThan(high.bytes - 250 * mebibyte);
    small.end();
  });

  it('is looked at where the kernel does not keep it, and says so', async () => {
    vi.spyOn(process, 'resourceUsage').mockReturnValue({ ...process.resourceUsage(), maxRSS: 1 });
    const watch = new PeakWatch(false);
    const start = watch.peak();
    expect(start.by).toBe('samples');
    let high = 0;
    const looked = vi.spyOn(process.memoryUsage, 'rss').mockImplementation(() => start.bytes + (high += mebibyte));
    await new Promise((resolve) => setTimeout(resolve, 100));
    looked.mockReturnValue(start.bytes);
    expect(watch.peak().bytes).toBeGreaterThan(start.bytes);
    watch.end();
  });

  it('is the mark of the whole life where that was set in the run', () => {
    const usage = process.resourceUsage();
    vi.spyOn(process, 'resourceUsage')
      .mockReturnValueOnce({ ...usage, maxRSS: 1000 })
      .mockReturnValue({ ...usage, maxRSS: 2000 });
    const watch = new PeakWatch(false);
    expect(watch.peak()).toEqual({ bytes: 2000 * 1024, by: 'system' });
    watch.end();
  });
});

describe.runIf(process.platform === 'linux')('the planned peak', () => {
  it.each([
    ['a window with quality', '--max-tokens 600 --block 128 --scenario sliding-window --window 128'],
    ['compiled layers and a dense baseline', '--max-tokens 600 --executor compiled --baseline dense --scenario sliding-window --window 64'],
    ['a black box', '--max-tokens 64 --construction paper --block 32 --oracle-layers 2 --verify none --no-quality'],
  ])('is within a quarter of the measured one: %s', async (_what, line) => {
    const args = [join(root, 'dist', 'cli.js'), 'simulate', samplePrompt, ...line.split(' '), '--threads', '2', '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 64 * mebibyte });
    const { run } = JSON.parse(stdout) as RunReport;
    const { peak = NaN, measured = NaN, measuredBy } = run.memory ?? {};
    expect(measuredBy).toBe('system');
    expect(measured).toBe(run.peakRssBytes);
    expect(peak / measured).toBeGreaterThan(0.75);
    expect(peak / measured).toBeLessThan(1.25);
  });
});
