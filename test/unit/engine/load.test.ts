import { cpus } from 'node:os';
import { describe, expect, it, vi } from 'vitest';
import { isBusy } from '../../../src/core/predict/load';
import type * as Load from '../../../src/engine/load';

const { machineLoad, ProcessorWatch } = await vi.importActual<typeof Load>('../../../src/engine/load');

describe('a look at the processor', () => {
  it('counts the time of this process apart from that of others', () => {
    const watch = new ProcessorWatch();
    const until = performance.now() + 200;
    while (performance.now() < until);
    const { cores, wallMs, busyMs, ownMs } = watch.time();
    expect(cores).toBe(cpus().length);
    expect(wallMs).toBeGreaterThanOrEqual(200);
    expect(ownMs).toBeGreaterThan(0);
    expect(ownMs).toBeLessThan(cores * wallMs + 50);
    expect(busyMs).toBeGreaterThanOrEqual(0);
  });

  it('says what others want, which is no less than nothing and bounded', async () => {
    const load = await machineLoad();
    expect(load.cores).toBe(cpus().length);
    expect(load.others).toBeGreaterThanOrEqual(0);
    expect(load.others).toBeLessThanOrEqual(8 * load.cores);
    expect(isBusy({ ...load, others: 0 })).toBe(false);
  });
});
