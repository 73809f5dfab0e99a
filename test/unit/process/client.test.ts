import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CancelledError, InputError } from '../../../src/core/errors';
import { defaultOptions } from '../../../src/core/options/table';
import type { RunReport } from '../../../src/core/report/report';
import { makeScenario } from '../../../src/core/scenario/scenario';
import { EngineClient } from '../../../src/engine/process/engine-client';
import { root, sampleText } from '../../support/paths';

const entry = join(root, 'dist', 'engine.js');
const short = { path: 'p', text: sampleText().slice(0, 600), options: { ...defaultOptions, blockSize: 64 } };
const long = { path: 'p', text: sampleText().repeat(4), options: defaultOptions };

/** The child processes of this process that run the engine. */
function engineProcesses(): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  return children.filter((pid) => existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(entry));
}

// The check that names processes reads /proc.
describe.runIf(process.platform === 'linux')('the engine in a process of its own', () => {
  let client: EngineClient;
  let lines: string[];
  beforeEach(() => {
    lines = [];
    client = new EngineClient(entry, undefined, (line) => lines.push(line));
  });
  afterEach(async () => {
    client.dispose();
    // A killed process leaves in its own time; the next test counts processes.
    await vi.waitFor(() => expect(engineProcesses()).toEqual([]), { timeout: 20_000 });
  });

  it('starts at the first call, reports progress, and serves the next call from the same process', async () => {
    expect(engineProcesses()).toEqual([]);
    const fractions: number[] = [];
    const report = await client.call('simulate', short, { onProgress: ({ fraction }) => fractions.push(fraction) });
    expect(report.fidelity?.maxAbsError).toBeLessThan(1e-4);
    expect(fractions.length).toBeGreaterThan(0);
    const before = engineProcesses();
    await client.call('simulate', short);
    expect(engineProcesses()).toEqual(before);
  });

  it('hands over each run of a comparison before its result', async () => {
    const scenarios = [makeScenario('causal'), makeScenario('full')];
    const runs: RunReport[] = [];
    const report = await client.call('compare', { ...short, scenarios, named: true }, { onRun: (run) => runs.push(run) });
    expect(runs).toEqual(report.runs);
    expect(runs.map(({ scenario }) => scenario)).toEqual(scenarios);
  });

  it('turns errors back into their class', async () => {
    await expect(client.call('simulate', { ...short, text: '' })).rejects.toBeInstanceOf(InputError);
  });

  it('cancels between two calls, and the process lives on', async () => {
    const controller = new AbortController();
    const running = client.call('simulate', long, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(running).rejects.toBeInstanceOf(CancelledError);
    expect(lines.some((line) => line.includes('killing it'))).toBe(false);
    expect(engineProcesses()).toHaveLength(1);
  });

  it('does not start what was cancelled before it began', async () => {
    await expect(client.call('simulate', short, { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(CancelledError);
    expect(engineProcesses()).toEqual([]);
  });

  it('kills a process that does not answer a cancel', async () => {
    const controller = new AbortController();
    const running = client.call('simulate', long, {
      signal: controller.signal,
      onProgress: () => {
        // A stopped process is as silent as one that hangs in native code.
        engineProcesses().forEach((pid) => process.kill(pid, 'SIGSTOP'));
        controller.abort();
      },
    });
    await expect(running).rejects.toBeInstanceOf(CancelledError);
    expect(lines.join()).toMatch(/did not stop .* killing it/);
  });

  it('rejects what is pending when its process dies, and starts a new one for the next call', async () => {
    const running = client.call('simulate', long, { onProgress: () => engineProcesses().forEach((pid) => process.kill(pid, 'SIGKILL')) });
    await expect(running).rejects.toThrow(/engine process ended \(SIGKILL\); run again/);
    expect((await client.call('simulate', short)).run.calls.total).toBeGreaterThan(0);
  });
});
