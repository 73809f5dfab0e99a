import * as vscode from 'vscode';
import { messageOf } from '../../core/errors';
import { messageShown, t } from '../../core/l10n';
import { subjectOf } from '../../core/record/label';
import type { LabRecord, LabResult, RecordKind, RecordOf, RunRecord } from '../../core/record/record';
import { toJson } from '../../core/report/json';
import type { RunReport } from '../../core/report/report';
import { newestOfEachKind, type RecordFiles, recordOf } from '../../engine/store/records';
import { reportsFrom } from '../../engine/read/report/reports';
import { Disposable } from '../disposable';
import { showWarning } from '../notify';

/** Key under which an earlier version kept its runs in the workspace state. */
const formerKey = 'runs';

/**
 * The last results of this workspace, newest first, in the extension's own storage: runs, comparisons, evaluations, ledgers, atlases
 * and continuations.
 *
 * Views read from memory; files restore it after a reload. A full disk loses the history, never the result; a warning says so.
 */
export class RunHistory extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  /** Fires after records were read, added or deleted. */
  readonly onDidChange = this.changed.event;
  private kept: readonly LabRecord[] = [];
  private keptRuns: readonly RunRecord[] = [];
  /** Why the last result that could not be kept was not. */
  private lastReason: string | undefined;
  /** Resolves once what was kept is read. */
  readonly loaded: Promise<void>;

  /** @param former where an earlier version kept its runs, which are migrated once */
  constructor(
    private readonly files: RecordFiles,
    former: vscode.Memento,
    private readonly log: vscode.LogOutputChannel,
  ) {
    super();
    this.loaded = this.load(former);
  }

  get records(): readonly LabRecord[] {
    return this.kept;
  }

  get runs(): readonly RunRecord[] {
    return this.keptRuns;
  }

  /** The newest record of a kind; undefined where there is none. */
  newest<Kind extends RecordKind>(kind: Kind): RecordOf<Kind> | undefined {
    return this.kept.find((record): record is RecordOf<Kind> => record.kind === kind);
  }

  /** Adds a result. One that cannot be written, or is too large, is in memory until the window closes, and the user hears of it. @returns its record */
  async add<Result extends LabResult>(result: Result): Promise<RecordOf<Result['kind']>> {
    await this.loaded;
    const record = recordOf(result);
    this.show([record, ...this.kept]);
    await this.attempt('A result is kept in memory only', async () => {
      try {
        await this.files.add(record);
      } catch (error) {
        const reason = messageOf(error).replace(/\.$/, '');
        // Of a disk that is full or cannot be written once: every result would say the same.
        if (reason !== this.lastReason) {
          this.lastReason = reason;
          void showWarning(
            t('Two Heads: {0} cannot be kept ({1}); export it before the window closes.', subjectOf(record), messageShown(reason)),
          );
        }
        throw error;
      }
    });
    return record as RecordOf<Result['kind']>;
  }

  /** Deletes records. */
  async delete(ids: readonly string[]): Promise<void> {
    await this.loaded;
    this.show(this.kept.filter(({ id }) => !ids.includes(id)));
    await this.attempt('A deleted run will come back', () => this.files.delete(ids));
  }

  /** Deletes every record. */
  async clear(): Promise<void> {
    await this.loaded;
    this.show([]);
    await this.attempt('A deleted run will come back', () => this.files.clear());
  }

  private async load(former: vscode.Memento): Promise<void> {
    await this.attempt('Runs of an earlier version are left where they are', () => this.takeOver(former));
    const { records, skipped } = await this.files.read();
    skipped.forEach((complaint) => this.log.warn(complaint));
    this.show(records);
  }

  /** Migrates runs of an earlier version to files; deletes the old copy afterwards. */
  private async takeOver(former: vscode.Memento): Promise<void> {
    const runs = former.get<readonly { readonly report: unknown }[]>(formerKey);
    for (const report of (runs ?? []).flatMap((run) => this.formerReport(run.report))) {
      await this.files.add(recordOf({ kind: 'run', origin: null, report }));
    }
    if (runs !== undefined) {
      await former.update(formerKey, undefined);
    }
  }

  /** A report of an earlier version as an array; empty if it is not valid. */
  private formerReport(report: unknown): RunReport[] {
    try {
      return reportsFrom(toJson(report), 'A run of an earlier version');
    } catch (error) {
      this.log.warn(messageOf(error));
      return [];
    }
  }

  private show(records: readonly LabRecord[]): void {
    // Ids sort by time: a migrated run may be newer than one read from a file.
    const newest = [...new Map(records.map((record) => [record.id, record])).values()].sort((one, other) => (one.id < other.id ? 1 : -1));
    this.kept = newestOfEachKind(newest, ({ kind }) => kind);
    this.keptRuns = this.kept.filter((record) => record.kind === 'run');
    this.changed.fire();
  }

  /** Runs `act`; if the disk is full or read-only, logs the consequence. */
  private async attempt(consequence: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.log.warn(`${consequence}: ${messageOf(error)}`);
    }
  }
}
