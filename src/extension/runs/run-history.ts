import * as vscode from 'vscode';
import { messageOf } from '../../core/errors';
import { toJson } from '../../core/report/json';
import type { RunReport } from '../../core/report/report';
import { idOf, type KeptRun, runCapacity, type RunFiles, type RunOrigin } from '../../engine/store/runs';
import { reportsFrom } from '../../engine/read/report/reports';
import { Disposable } from '../disposable';

/** Key under which an earlier version kept its runs in the workspace state. */
const formerKey = 'runs';

/**
 * The last runs of this workspace, newest first, in the extension's own storage.
 *
 * Views read from memory; files restore it after a reload. So a full disk loses the history, never the run.
 */
export class RunHistory extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  /** Fires after runs were read, added or deleted. */
  readonly onDidChange = this.changed.event;
  private kept: readonly KeptRun[] = [];
  private readonly loaded: Promise<void>;

  /** @param former where an earlier version kept its runs, which are migrated once */
  constructor(
    private readonly files: RunFiles,
    former: vscode.Memento,
    private readonly log: vscode.LogOutputChannel,
  ) {
    super();
    this.loaded = this.load(former);
  }

  get runs(): readonly KeptRun[] {
    return this.kept;
  }

  /** Adds a finished run. @param origin null if its text came from another extension or a tool */
  async add(report: RunReport, origin: RunOrigin | null): Promise<void> {
    await this.loaded;
    const run: KeptRun = { id: idOf(report), origin, report };
    this.show([run, ...this.kept]);
    await this.attempt('The run is kept in memory only', () => this.files.add(run));
  }

  /** Deletes runs. */
  async delete(ids: readonly string[]): Promise<void> {
    await this.loaded;
    this.show(this.kept.filter(({ id }) => !ids.includes(id)));
    await this.attempt('A deleted run will come back', () => this.files.delete(ids));
  }

  /** Deletes every run. */
  async clear(): Promise<void> {
    await this.loaded;
    this.show([]);
    await this.attempt('A deleted run will come back', () => this.files.clear());
  }

  private async load(former: vscode.Memento): Promise<void> {
    await this.attempt('Runs of an earlier version are left where they are', () => this.takeOver(former));
    const { runs, skipped } = await this.files.read();
    skipped.forEach((complaint) => this.log.warn(complaint));
    this.show(runs);
  }

  /** Migrates runs of an earlier version to files; deletes the old copy afterwards. */
  private async takeOver(former: vscode.Memento): Promise<void> {
    const runs = former.get<readonly { readonly report: unknown }[]>(formerKey);
    for (const report of (runs ?? []).flatMap((run) => this.formerReport(run.report))) {
      await this.files.add({ id: idOf(report), origin: null, report });
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

  private show(runs: readonly KeptRun[]): void {
    // Ids sort by time: a migrated run may be newer than one read from a file.
    const newest = new Map(runs.map((run) => [run.id, run]));
    this.kept = [...newest.values()].sort((one, other) => (one.id < other.id ? 1 : -1)).slice(0, runCapacity);
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
