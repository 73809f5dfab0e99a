import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type * as vscode from 'vscode';
import { defaultOptions } from '../../../src/core/options/table';
import type { LabResult, RunOrigin } from '../../../src/core/record/record';
import { RecordFiles } from '../../../src/engine/store/records';
import { RunHistory } from '../../../src/extension/runs/run-history';
import { mementoOf } from '../../support/host';
import { reportOf } from '../../support/reports';
import { temporaryFolder } from '../../support/temporary';
import { textsOf } from '../../support/workbench/dialogs';
import { once } from '../../support/workbench/events';

const origin: RunOrigin = { uri: 'file:///prompt.md', at: null, selection: null, options: defaultOptions };
const reportAt = (minute: number): ReturnType<typeof reportOf> =>
  reportOf({ date: new Date(Date.UTC(2026, 1, 1, 0, minute)).toISOString() });
const runAt = (minute: number): LabResult => ({ kind: 'run', origin, report: reportAt(minute) });

/** The history of a folder once it is read, and what it logged. */
async function historyOf(folder: string, state: Record<string, unknown> = {}): Promise<{ history: RunHistory; warnings: string[] }> {
  const warnings: string[] = [];
  const log = { warn: (line: string) => warnings.push(line) } as unknown as vscode.LogOutputChannel;
  const history = new RunHistory(new RecordFiles(folder), mementoOf(state), log);
  await once(history.onDidChange);
  return { history, warnings };
}

const minutes = (history: RunHistory): number[] => history.runs.map(({ report }) => new Date(report.environment.date).getUTCMinutes());

describe('the history', () => {
  it('is there again after a restart, without what was deleted', async () => {
    const folder = join(temporaryFolder(), 'runs');
    const { history } = await historyOf(folder);
    for (const minute of [1, 2, 3]) {
      await history.add(runAt(minute));
    }
    await history.delete([history.runs[1].id]);
    expect(minutes(history)).toEqual([3, 1]);
    const { history: again, warnings } = await historyOf(folder);
    expect(again.runs).toEqual(history.runs);
    expect(again.runs[0].origin).toEqual(origin);
    expect(warnings).toEqual([]);
    await again.clear();
    expect((await historyOf(folder)).history.runs).toEqual([]);
  });

  it('takes over once what an earlier version kept in the workspace', async () => {
    const folder = join(temporaryFolder(), 'runs');
    const state: Record<string, unknown> = {
      runs: [
        { id: 2, report: reportAt(2) },
        { id: 1, report: { broken: true } },
        { id: 0, report: reportAt(1) },
      ],
    };
    const { history, warnings } = await historyOf(folder, state);
    expect(minutes(history)).toEqual([2, 1]);
    expect(history.runs.every((run) => run.origin === null)).toBe(true);
    expect(warnings).toEqual([expect.stringMatching(/^A run of an earlier version: .*schemaVersion/)]);
    expect(state.runs).toBeUndefined();
    await history.delete(history.runs.map(({ id }) => id));
    expect((await historyOf(folder, state)).history.runs).toEqual([]);
  });

  it('leaves that where it is while it cannot be written, and keeps a run in memory', async () => {
    const folder = join(temporaryFolder(), 'file');
    writeFileSync(folder, '');
    const state: Record<string, unknown> = { runs: [{ id: 1, report: reportAt(1) }] };
    const { history, warnings } = await historyOf(folder, state);
    expect(state.runs).toHaveLength(1);
    await history.add(runAt(2));
    await history.add(runAt(3));
    expect(minutes(history)).toEqual([3, 2]);
    expect(warnings).toEqual([
      expect.stringMatching(/earlier version are left/),
      expect.stringMatching(/cannot be listed/),
      expect.stringMatching(/in memory only: /),
      expect.stringMatching(/in memory only: /),
    ]);
    // One warning says it of a folder that cannot be written.
    expect(textsOf('warning')).toEqual([expect.stringMatching(/cannot be kept \(.*file cannot be made .*\); export it before/)]);
  });

  it('says once what it passes over', async () => {
    const folder = join(temporaryFolder(), 'runs');
    const { history } = await historyOf(folder);
    await history.add(runAt(1));
    const path = join(folder, `${history.runs[0].id}.json`);
    expect(existsSync(path)).toBe(true);
    writeFileSync(path, '{');
    const { history: again, warnings } = await historyOf(folder);
    await again.add(runAt(2));
    expect(minutes(again)).toEqual([2]);
    expect(warnings).toEqual([expect.stringContaining('is not JSON; delete it.')]);
  });
});
