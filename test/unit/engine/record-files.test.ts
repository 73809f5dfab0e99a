import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultOptions } from '../../../src/core/options/table';
import type { RunReport } from '../../../src/core/report/report';
import { makeScenario, perLayer } from '../../../src/core/scenario/scenario';
import { inputLimits } from '../../../src/engine/read/input/limits';
import type { RunOrigin, RunRecord } from '../../../src/core/record/record';
import { recordCapacity, RecordFiles, recordOf } from '../../../src/engine/store/records';
import { keptAgain, resultsOfEveryKind } from '../../support/records';
import { reportOf } from '../../support/reports';
import { temporaryFolder } from '../../support/temporary';

const origin: RunOrigin = {
  uri: 'file:///prompts/a.md',
  at: null,
  selection: { startLine: 1, startCharacter: 0, endLine: 3, endCharacter: 5 },
  options: { ...defaultOptions, blockSize: 64, oracleHeads: 2 },
};

/** A report as a record. */
function runOf(report: RunReport, from: RunOrigin | null = null): RunRecord {
  return recordOf({ kind: 'run', origin: from, report }) as RunRecord;
}

/** A run in the minute `minute` of a day. */
function runAt(minute: number, from: RunOrigin | null = null): RunRecord {
  const report = reportOf({ date: new Date(Date.UTC(2026, 1, 1, 0, minute)).toISOString() });
  return runOf(report, from);
}

/** A folder that is not there yet. */
const newFolder = (): string => join(temporaryFolder(), 'storage', 'runs');

describe('the files of runs', () => {
  it('gives back what was kept, newest first, whatever the order of writing', async () => {
    const folder = newFolder();
    const layers = reportOf({
      scenario: perLayer([makeScenario('causal'), makeScenario('sliding-window', { window: 20 })]),
      date: '2026-02-01T00:02:30.000Z',
    });
    const runs = [runAt(3, origin), runOf(layers), runAt(2), runAt(1, { ...origin, selection: null })];
    for (const run of [runs[1], runs[3], runs[0], runs[2]]) {
      await new RecordFiles(folder).add(run);
    }
    expect(await new RecordFiles(folder).read()).toEqual({ records: runs, skipped: [] });
    expect(readdirSync(folder).sort()).toEqual(runs.map(({ id }) => `${id}.json`).sort());
  });

  it('is empty before the first run', async () => {
    expect(await new RecordFiles(newFolder()).read()).toEqual({ records: [], skipped: [] });
  });

  it('keeps a run once, however often it is added', async () => {
    const files = new RecordFiles(newFolder());
    await files.add(runAt(1));
    await files.add(runAt(1));
    expect((await files.read()).records).toHaveLength(1);
  });

  it('lets go of the oldest runs over its capacity', async () => {
    const files = new RecordFiles(newFolder(), { ...recordCapacity, run: 3 });
    for (const minute of [5, 1, 4, 2, 3]) {
      await files.add(runAt(minute));
    }
    expect((await files.read()).records).toEqual([runAt(5), runAt(4), runAt(3)]);
  });

  it('deletes runs, and is content where one is gone', async () => {
    const files = new RecordFiles(newFolder());
    await files.add(runAt(1));
    await files.add(runAt(2));
    await files.delete([runAt(1).id, runAt(7).id, '../../etc/passwd']);
    expect((await files.read()).records).toEqual([runAt(2)]);
    await files.clear();
    expect((await files.read()).records).toEqual([]);
  });

  it('keeps numbers that are not finite, which JSON cannot say', async () => {
    const files = new RecordFiles(newFolder());
    const report = reportOf({ meanKl: Infinity });
    await files.add(runOf(report));
    const { records, skipped } = await files.read();
    expect(skipped).toEqual([]);
    expect((records[0] as RunRecord).report.quality?.meanKl).toBe(Infinity);
  });

  it('fills in what an earlier version did not write, and keeps what a later one added', async () => {
    const folder = newFolder();
    const files = new RecordFiles(folder);
    await files.add(runAt(1));
    const path = join(folder, `${runAt(1).id}.json`);
    const { run, plan, ...rest } = reportOf();
    const { gather, layer, ...phases } = run.phases;
    const { retries, ...calls } = run.calls;
    const old = {
      ...rest,
      added: { later: true },
      plan: { ...plan, blockSize: undefined, parts: undefined },
      run: { ...run, phases, calls, executor: undefined, precision: undefined },
      sampling: undefined,
      prediction: undefined,
    };
    expect([gather, layer, retries]).toEqual([30, 0, 0]);
    writeFileSync(path, JSON.stringify({ schemaVersion: 1, origin: null, report: old }));
    const [kept] = (await files.read()).records;
    expect(kept.report).toEqual({ ...reportOf(), added: { later: true }, run: { ...run, phases: { ...run.phases, gather: 0 } } });
  });
});

describe('results of other kinds than runs', () => {
  it.each(resultsOfEveryKind().map((result) => [result.kind, result] as const))('are read as they were kept: %s', async (_, result) => {
    const again = await keptAgain({ ...result, origin });
    expect(again).toEqual(recordOf({ ...result, origin }));
    expect(again.id.endsWith(`-${result.kind}`)).toBe(result.kind !== 'run');
  });

  it('keep what an experiment was run from', async () => {
    const [, , evaluation] = resultsOfEveryKind();
    expect(await keptAgain({ ...evaluation, file: '/a.two-heads.json' } as typeof evaluation)).toMatchObject({ file: '/a.two-heads.json' });
  });

  it('have room of their own: many of one kind push no other out', async () => {
    const files = new RecordFiles(newFolder(), { ...recordCapacity, run: 2, ledger: 1 });
    const others = resultsOfEveryKind().filter(({ kind }) => kind !== 'run');
    for (const result of others) {
      await files.add(recordOf(result));
    }
    for (const minute of [1, 2, 3]) {
      await files.add(runAt(10 + minute));
    }
    const [, , , ledger] = resultsOfEveryKind();
    const newer = { ...ledger, report: { ...ledger.report, environment: reportOf({ date: '2026-03-01T00:00:00.000Z' }).environment } };
    await files.add(recordOf(newer as typeof ledger));
    const { records, skipped } = await files.read();
    expect(skipped).toEqual([]);
    expect(records.map(({ kind }) => kind)).toEqual([
      'ledger',
      'run',
      'run',
      'advice',
      'continuation',
      'atlas',
      'evaluation',
      'comparison',
    ]);
  });

  it('are refused where they are too large, and nothing is written', async () => {
    const folder = newFolder();
    const report = { ...reportOf(), filler: 'x'.repeat(inputLimits.run) };
    await expect(new RecordFiles(folder).add(runOf(report))).rejects.toThrow(/^it has 8\.0\d MiB, and the limit is 8\.00 MiB$/);
    expect(existsSync(folder)).toBe(false);
  });

  it('are left out and named where a file is of another kind than its name', async () => {
    const folder = newFolder();
    const [run, , , ledger] = resultsOfEveryKind().map(recordOf);
    const files = new RecordFiles(folder);
    await files.add(run);
    writeFileSync(join(folder, `${ledger.id}.json`), readFileSync(join(folder, `${run.id}.json`)));
    const { records, skipped } = await files.read();
    expect(records).toEqual([run]);
    expect(skipped).toEqual([expect.stringMatching(/^A ledger is left out: .*-ledger\.json: kind: .*; delete it\.$/)]);
  });
});

describe('a file of a run that cannot be read', () => {
  const good = runAt(9);
  const text = (report: object, file: object = {}): string => JSON.stringify({ schemaVersion: 1, origin: null, report, ...file });
  const withRun = (run: Partial<RunReport['run']>): string => text({ ...reportOf(), run: { ...reportOf().run, ...run } });

  it.each([
    ['cut short', text(reportOf()).slice(0, -20), /\.json is not JSON; delete it\./],
    ['empty', '', /\.json is not JSON; delete it\./],
    ['of another version', text(reportOf(), { schemaVersion: 2 }), /schemaVersion: /],
    ['of another report version', text({ ...reportOf(), schemaVersion: 7 }), /report\.schemaVersion: /],
    ['too large', ' '.repeat(inputLimits.run + 1), /8\.00 MiB; the limit is 8\.00 MiB: delete it\./],
    ['a list', '[]', /the document: /],
    ['with a number as text', withRun({ wallMs: '<script>' as unknown as number }), /report\.run\.wallMs: /],
    [
      'with a scenario that is none',
      text({ ...reportOf(), scenario: { kind: 'sliding-window', window: -3 } }),
      /report\.scenario: Window .*of -3 is out of range/,
    ],
    ['with layers that are no scenarios', text({ ...reportOf(), scenario: { kind: 'per-layer', cycle: 'causal' } }), /report\.scenario: /],
    [
      'with an origin that is none',
      text(reportOf(), { origin: { uri: 'file:///a', selection: null, options: { ...defaultOptions, provider: 'tpu' } } }),
      /origin\.options\.provider: /,
    ],
  ])('is passed over and named: %s', async (_, content, complaint) => {
    const folder = newFolder();
    const files = new RecordFiles(folder);
    await files.add(good);
    writeFileSync(join(folder, `${runAt(1).id}.json`), content);
    const { records, skipped } = await files.read();
    expect(records).toEqual([good]);
    expect(skipped).toHaveLength(1);
    expect(skipped[0]).toContain(runAt(1).id);
    expect(skipped[0]).toMatch(complaint);
  });

  it('is passed over where it is a folder, and where it is none of the history', async () => {
    const folder = newFolder();
    const files = new RecordFiles(folder);
    await files.add(good);
    mkdirSync(join(folder, `${runAt(1).id}.json`));
    writeFileSync(join(folder, 'notes.json'), '{}');
    const { records, skipped } = await files.read();
    expect(records).toEqual([good]);
    expect(skipped).toEqual([expect.stringContaining('.json is not a file but a folder; delete it.')]);
    await files.clear().catch(() => undefined);
    expect(readFileSync(join(folder, 'notes.json'), 'utf8')).toBe('{}');
  });

  it('is removed where a crash left it half written, and left alone while it may still be written', async () => {
    const folder = newFolder();
    const files = new RecordFiles(folder);
    await files.add(good);
    const [abandoned, recent] = ['.a.json.1.part', '.b.json.2.part'].map((name) => join(folder, name));
    writeFileSync(abandoned, '{"sch');
    writeFileSync(recent, '{"sch');
    utimesSync(abandoned, new Date(0), new Date(0));
    expect(await files.read()).toEqual({ records: [good], skipped: [] });
    expect([existsSync(abandoned), existsSync(recent)]).toEqual([false, true]);
  });

  it('is told apart from a folder that cannot be listed', async () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, '');
    expect(await new RecordFiles(path).read()).toEqual({ records: [], skipped: [expect.stringContaining('cannot be listed')] });
  });
});
