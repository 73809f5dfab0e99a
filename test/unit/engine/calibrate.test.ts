import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/core/errors';
import { defaultOptions } from '../../../src/core/options/table';
import type { Calibration } from '../../../src/core/predict/calibration';
import { settleRequest } from '../../../src/core/predict/fastest';
import type { PlanDocument } from '../../../src/core/report/report';
import { openDevice } from '../../../src/engine/attend/runtime/provider';
import { CalibrationStore, commandLineStorage } from '../../../src/engine/store/calibrations';
import { calibrate } from '../../../src/engine/tasks/calibrate/calibrate';
import { madeUpCalibration } from '../../support/calibration';
import { cli } from '../../support/cli';
import { samplePrompt } from '../../support/paths';
import { smallModel } from '../../support/shapes';
import { temporaryFolder } from '../../support/temporary';

describe('kept calibrations', () => {
  it('are given out again, for every core or for so many threads', async () => {
    const store = new CalibrationStore(join(temporaryFolder(), 'new'));
    expect(await store.read('cpu', 0)).toBeUndefined();
    await store.write(madeUpCalibration());
    expect(await store.read('cpu', 0)).toEqual(madeUpCalibration());
    expect(await store.read('cpu', 500)).toBeUndefined();
    expect(await store.read('webgpu', 0)).toBeUndefined();
  });

  it.each([
    ['of another ONNX Runtime', JSON.stringify(madeUpCalibration({ onnxruntime: '0.1.0' }))],
    ['of another processor', JSON.stringify(madeUpCalibration({ device: 'abacus' }))],
    ['of another version', JSON.stringify({ ...madeUpCalibration(), schemaVersion: 99 })],
    ['with a rate below 0', JSON.stringify({ ...madeUpCalibration(), gatherNsPerFloat: -1 })],
    ['that is cut off', JSON.stringify(madeUpCalibration()).slice(0, 200)],
    ['that is empty', ''],
  ])('%s are as good as none', async (_what, text) => {
    const folder = temporaryFolder();
    const store = new CalibrationStore(folder);
    await store.write(madeUpCalibration());
    const [file] = readdirSync(folder);
    writeFileSync(join(folder, file), text);
    expect(await store.read('cpu', 0)).toBeUndefined();
    expect(await store.candidates('auto', 0)).toEqual([]);
  });

  it('decide what auto is: the provider that is predicted to be faster', async () => {
    const store = new CalibrationStore(temporaryFolder());
    await store.write(madeUpCalibration());
    const fast = madeUpCalibration({
      provider: 'webgpu',
      device: 'card',
      layer: { layerMs: 0.001, attendNsPerFlop: 1e-6, tokenwiseNsPerFlop: 1e-6 },
    });
    await store.write({ ...fast, layer: { layerMs: 1e6, attendNsPerFlop: 1, tokenwiseNsPerFlop: 1 } });
    const fastest = (candidates: readonly Calibration[]): string | undefined =>
      settleRequest(1000, smallModel, defaultOptions, candidates).calibration?.provider;
    expect(fastest(await store.candidates('auto', 0))).toBe('cpu');
    await store.write(fast);
    expect(fastest(await store.candidates('auto', 0))).toBe('webgpu');
    expect(fastest(await store.candidates('cpu', 0))).toBe('cpu');
  });
});

describe('calibrating', () => {
  it('stops where it is cancelled', async () => {
    const controller = new AbortController();
    const device = await openDevice('cpu', 1);
    await expect(calibrate(device, controller.signal, () => controller.abort())).rejects.toThrow(CancelledError);
  });

  it('makes plans tell time, memory and break-even, and chooses a block size', async () => {
    // What a real calibration makes of plans is tried in a real VS Code, test/vscode/calibrate.test.ts: it takes a minute.
    const cache = temporaryFolder();
    const home = { XDG_CACHE_HOME: cache, LOCALAPPDATA: cache };
    const before = await cli(['plan', samplePrompt], '', home);
    expect(before.stdout).toMatch(/expected +not known: run two-heads calibrate once/);
    await new CalibrationStore(commandLineStorage(home)).write(madeUpCalibration());
    const after = JSON.parse((await cli(['plan', samplePrompt, '--json'], '', home)).stdout) as PlanDocument;
    expect(after.prediction).toMatchObject({ provider: 'cpu', threads: madeUpCalibration().threads });
    expect(after.prediction?.wallMs).toBeGreaterThan(1);
    expect(after.prediction?.peakBytes).toBeGreaterThan(after.plan.bytes);
    const chosen = JSON.parse((await cli(['plan', samplePrompt, '--block', 'auto', '--json'], '', home)).stdout) as PlanDocument;
    expect(chosen.prediction?.wallMs).toBeLessThanOrEqual(after.prediction?.wallMs ?? 0);
  });
});
