import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CalibrationStore } from '../../../../src/engine/store/calibrations';
import { DigestStore } from '../../../../src/engine/store/digests';
import { expectedMs, outlookOf } from '../../../../src/engine/tasks/evaluate/outlook';
import { evaluate } from '../../../../src/engine/tasks/evaluate/run-experiment';
import { madeUpCalibration } from '../../../support/calibration';
import { modelsFolder } from '../../../support/paths';
import { temporaryFolder } from '../../../support/temporary';

const context = {
  modelsFolder,
  calibrations: new CalibrationStore('/nonexistent'),
  digests: new DigestStore(undefined),
  signal: new AbortController().signal,
  onProgress: () => undefined,
};

it('says what an experiment costs and what is kept of it, without running it or making files', async () => {
  const folder = temporaryFolder();
  const [file, results] = ['a.two-heads.json', 'a.results.jsonl'].map((name) => join(folder, name));
  writeFileSync(join(folder, 'a.md'), 'The quick brown fox jumps over the lazy dog. '.repeat(8));
  const experiment = {
    version: 1,
    prompts: ['a.md'],
    model: 'tiny-docs-5m',
    scenarios: ['native', 'sliding-window:8'],
    blocks: [16],
    context: 32,
    maximumWindows: 2,
    results: 'a.results.jsonl',
    budgets: { kl: 1e-9, calls: 1e6 },
  };
  writeFileSync(file, JSON.stringify(experiment));
  const before = await outlookOf({ file }, context);
  expect(before).toMatchObject({ file, model: 'tiny-docs-5m', units: 4, known: 0, predictedMs: null, evaluation: null, budgets: null });
  expect(before.points.map(({ scenario, blockSize }) => [scenario.kind, blockSize])).toEqual([
    ['causal', 16],
    ['sliding-window', 16],
  ]);
  expect(await expectedMs({ file }, context)).toBeNull();
  // On a device that is calibrated.
  const calibrations = new CalibrationStore(folder);
  await calibrations.write(madeUpCalibration());
  const calibrated = { ...context, calibrations };
  const { predictedMs } = await outlookOf({ file }, calibrated);
  expect(predictedMs).toBeGreaterThan(0);
  expect(await expectedMs({ file }, calibrated)).toBe(predictedMs);
  expect(existsSync(results)).toBe(false);
  const summary = await evaluate({ file }, context);
  const after = await outlookOf({ file }, context);
  expect(after.known).toBe(4);
  // Nothing is left.
  expect(await expectedMs({ file }, calibrated)).toBe(0);
  expect(after.evaluation?.points).toEqual(summary.points);
  expect(after.budgets?.map(({ budget, scenario, kept }) => [budget, scenario, kept])).toEqual([
    ['calls', 'causal', true],
    ['kl', 'causal', true],
    ['calls', 'sliding-window(window 8)', true],
    ['kl', 'sliding-window(window 8)', false],
  ]);
  // The same, found by its results.
  const found = await outlookOf({ file: results }, context);
  expect([found.file, found.known, found.evaluation?.points]).toEqual([after.file, after.known, after.evaluation?.points]);
  await expect(outlookOf({ file: join(folder, 'b.results.jsonl') }, context)).rejects.toThrow(
    /^No experiment file beside .*b\.results\.jsonl names it/,
  );
});
