import { readdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/core/errors';
import { defaultOptions } from '../../../src/core/options/table';
import type { Calibration } from '../../../src/core/predict/calibration';
import { settleRequest } from '../../../src/core/predict/fastest';
import { loadEffect } from '../../../src/core/predict/load';
import type { PlanDocument } from '../../../src/core/report/report';
import { openDevice } from '../../../src/engine/attend/runtime/provider';
import { CalibrationStore, commandLineStorage } from '../../../src/engine/store/calibrations';
import { calibrate } from '../../../src/engine/tasks/calibrate/calibrate';
import { fit, madeUpCalibration } from '../../support/calibration';
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

  const { pass, tiles, load } = madeUpCalibration();
  const changed = (more: object): string => JSON.stringify({ ...madeUpCalibration(), ...more });
  it.each([
    ['of another ONNX Runtime', changed({ onnxruntime: '0.1.0' }), /it is of ONNX Runtime 0\.1\.0, and this is/],
    ['of another processor', changed({ device: 'abacus' }), /it is of another processor, abacus/],
    ['of an earlier version', changed({ schemaVersion: 1, pass: { startMs: 5, factor: 1 } }), /an earlier version of Two Heads made it/],
    ['of a later version', changed({ schemaVersion: 99 }), /a later version of Two Heads made it/],
    ['with a rate below 0', changed({ gatherNsPerFloat: -1 }), /other content than a calibration/],
    ['without an end', changed({}).replace('"startMs":5', '"startMs":1e999'), /other content/],
    ['with a factor of 0', changed({ pass: { ...pass, attendFactor: 0 } }), /other content/],
    ['with a tile faster than the best product', changed({ tiles: [{ ...tiles[0], openMs: 1e-9 }] }), /other content/],
    ['without tiles', changed({ tiles: [] }), /other content/],
    ['with a load of no cores', changed({ load: { ...load, cores: 0 } }), /other content/],
    ['of a clock that was far ahead', changed({ date: '2999-01-01T00:00:00.000Z' }), /other content/],
    ['of no date', changed({ date: 'yesterday' }), /other content/],
    ['of other threads', changed({ threads: 499 }), /other content/],
    ['of another provider', changed({ provider: 'webgpu' }), /other content/],
    [
      'with fewer samples than unknowns',
      changed({ pass: { ...madeUpCalibration().pass, fit: { ...fit, samples: 1, unknowns: 50 } } }),
      /other content/,
    ],
    [
      'with a residual that says nothing',
      changed({ pass: { ...madeUpCalibration().pass, fit: { ...fit, error: 1e308 } } }),
      /other content/,
    ],
    ['with an endless start', changed({ pass: { ...madeUpCalibration().pass, startMs: 1e308 } }), /other content/],
    ['with more cores than there are', changed({ load: { ...madeUpCalibration().load, cores: 1e9 } }), /other content/],
    ['with a peak that no machine has', changed({ peakFlops: 1e308 }), /other content/],
    ['without bandwidth', changed({ bandwidth: 0 }), /other content/],
    ['with an endless gather', changed({ gatherNsPerFloat: 1e308 }), /other content/],
    ['that is cut off', changed({}).slice(0, 200), /other content/],
    ['that is empty', '', /other content/],
  ])('%s are not used, and asked for again by name', async (_what, text, reason) => {
    const folder = temporaryFolder();
    const store = new CalibrationStore(folder);
    await store.write(madeUpCalibration());
    expect(await store.obstacles('auto', 0)).toEqual([]);
    const [file] = readdirSync(folder);
    writeFileSync(join(folder, file), text);
    expect(await store.read('cpu', 0)).toBeUndefined();
    expect(await store.candidates('auto', 0)).toEqual([]);
    expect(await store.obstacles('auto', 0)).toEqual([expect.stringMatching(reason)]);
    expect(await store.obstacles('cpu', 0)).toEqual([
      expect.stringMatching(/^The calibration of cpu is not used, since .*: run two-heads calibrate again\.$/),
    ]);
    expect(await store.obstacles('webgpu', 0)).toEqual([]);
  });

  it('say with them how busy the machine is, which is not kept', async () => {
    const store = new CalibrationStore(temporaryFolder());
    expect(await store.candidatesNow('auto', 0)).toEqual([]);
    await store.write(madeUpCalibration({ now: { cores: 2, others: 1 } }));
    expect(await store.candidates('cpu', 0)).toEqual([madeUpCalibration()]);
    expect(await store.candidatesNow('cpu', 0)).toEqual([madeUpCalibration({ now: { cores: 2, others: 0 } })]);
  });

  it('decide what auto is: the provider that is predicted to be faster', async () => {
    const store = new CalibrationStore(temporaryFolder());
    await store.write(madeUpCalibration());
    const fast = madeUpCalibration({
      provider: 'webgpu',
      device: 'card',
      layer: { layerMs: 0.001, attendNsPerFlop: 1e-6, tokenwiseNsPerFlop: 1e-6, fit },
    });
    await store.write({ ...fast, layer: { layerMs: 1e6, attendNsPerFlop: 1, tokenwiseNsPerFlop: 1, fit } });
    const fastest = (candidates: readonly Calibration[]): string | undefined =>
      settleRequest(1000, smallModel, defaultOptions, candidates).calibration?.provider;
    expect(fastest(await store.candidates('auto', 0))).toBe('cpu');
    await store.write(fast);
    expect(fastest(await store.candidates('auto', 0))).toBe('webgpu');
    expect(fastest(await store.candidates('cpu', 0))).toBe('cpu');
  });
});

/** The expected time without what other programs want at the moment, which no two commands see alike. */
function quietMs({ prediction }: PlanDocument): number {
  const now = { cores: cpus().length, others: prediction?.load?.now ?? 0 };
  return (prediction?.wallMs ?? NaN) / loadEffect(madeUpCalibration({ now })).factor;
}

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
    const { lowMs, highMs } = after.prediction?.interval ?? { lowMs: NaN, highMs: NaN };
    expect(after.prediction?.wallMs).toBeGreaterThan(lowMs);
    expect(after.prediction?.wallMs).toBeLessThan(highMs);
    expect(after.prediction?.extrapolates).toEqual([]);
    const text = (await cli(['plan', samplePrompt], '', home)).stdout;
    // Beside other tests the machine may be too busy for an interval.
    expect(text).toMatch(/expected +[^(]+ \(([^)]+ to [^)]+|not reliable)\) on /);
    expect(text).toMatch(/attention +.* by GroupQueryAttention, the fastest dense operator; /);
    expect((await cli(['plan', samplePrompt, '--executor', 'compiled'], '', home)).stdout).toMatch(
      /note: The expected time goes beyond what calibration measured: executor compiled \(measured tiles\)\./,
    );
    expect(after.prediction?.peakBytes).toBeGreaterThan(after.plan.bytes);
    const chosen = JSON.parse((await cli(['plan', samplePrompt, '--block', 'auto', '--json'], '', home)).stdout) as PlanDocument;
    expect(quietMs(chosen)).toBeLessThanOrEqual(quietMs(after) * 1.001);
  });

  it('is asked for again where an earlier version did it', async () => {
    const cache = temporaryFolder();
    const home = { XDG_CACHE_HOME: cache, LOCALAPPDATA: cache };
    const path = await new CalibrationStore(commandLineStorage(home)).write(madeUpCalibration());
    writeFileSync(path, JSON.stringify({ ...madeUpCalibration(), schemaVersion: 1 }));
    const { stdout } = await cli(['plan', samplePrompt], '', home);
    expect(stdout).toMatch(/expected +not known: run two-heads calibrate once/);
    expect(stdout).toMatch(
      /note: The calibration of cpu is not used, since an earlier version of Two Heads made it: run two-heads calibrate again\./,
    );
  });
});
