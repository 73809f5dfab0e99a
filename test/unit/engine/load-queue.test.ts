import { describe, expect, it, vi } from 'vitest';
import type * as Load from '../../../src/engine/load';

/** A machine of two cores, both taken, on which three threads of others run or wait besides the one that looks. */
const queue = { running: [4, 4, 60, 4], at: 0 };
vi.mock(import('node:os'), async (original) => {
  const actual = await original();
  const core = (): ReturnType<typeof actual.cpus>[number] => ({
    model: 'abacus',
    speed: 0,
    times: { user: performance.now(), nice: 0, sys: 0, idle: 0, irq: 0 },
  });
  return { ...actual, cpus: () => [core(), core()], loadavg: () => [1e6, 1e6, 1e6] };
});
vi.mock(import('node:fs'), async (original) => {
  const actual = await original();
  const readFileSync = ((path: string, ...more: [never]) =>
    path === '/proc/stat'
      ? `cpu 1 2 3\nprocs_running ${queue.running[queue.at++ % queue.running.length]}\nprocs_blocked 0\n`
      : actual.readFileSync(path, ...more)) as typeof actual.readFileSync;
  return { ...actual, readFileSync };
});

const { machineLoad } = await vi.importActual<typeof Load>('../../../src/engine/load');

describe('how busy others keep a machine whose cores are all taken', () => {
  it('is what runs or waits at the moment, not the load average of a minute, and a program that comes and goes does not count', async () => {
    const found = [await machineLoad(), await machineLoad()];
    expect(queue.at).toBeGreaterThan(8);
    for (const { cores, others } of found) {
      expect(cores).toBe(2);
      // What this process itself works meanwhile is taken off.
      expect(others).toBeGreaterThan(1.5);
      expect(others).toBeLessThanOrEqual(3);
    }
  });
});
