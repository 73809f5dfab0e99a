import { expect, it } from 'vitest';
import { localTime } from '../../../src/core/format';
import { makeScenario } from '../../../src/core/scenario/scenario';
import { byPrompt, runDescription, runLabel, runSpoken } from '../../../src/core/report/run-label';
import { reportOf } from '../../support/reports';

it('names a run by its scenario and time, and says what it came to', () => {
  const report = reportOf({ path: 'folder/a.md', scenario: makeScenario('sliding-window', { window: 20 }) });
  const time = localTime(report.environment.date);
  expect(time).toMatch(/^2026-02-0\d \d\d:\d\d$/);
  expect(runLabel(report)).toBe(`sliding-window(window 20), ${time}`);
  const sameDay = new Date(report.environment.date);
  expect(runLabel(report, sameDay)).toBe(`sliding-window(window 20), ${time.split(' ')[1]}`);
  expect(runSpoken(report, sameDay)).toMatch(/^sliding-window\(window 20\), \d\d:\d\d, /);
  expect(runDescription(report)).toBe(`${report.run.calls.total} calls · 1.23 s · error 3.1e-7`);
  expect(runDescription({ ...report, fidelity: null })).toBe(`${report.run.calls.total} calls · 1.23 s`);
  expect(runSpoken(report)).toBe(`${runLabel(report)}, ${report.run.calls.total} calls, 1.23 s, error 3.1e-7, of a.md`);
});

it('puts the runs of a prompt together, and the prompt that ran last first', () => {
  const runs = ['b.md', 'a.md', 'b.md', 'c.md', 'a.md'].map((path, id) => ({ id, report: reportOf({ path }) }));
  expect(byPrompt(runs).map(({ path, runs: own }) => [path, own.map(({ id }) => id)])).toEqual([
    ['b.md', [0, 2]],
    ['a.md', [1, 4]],
    ['c.md', [3]],
  ]);
  expect(byPrompt([])).toEqual([]);
});
