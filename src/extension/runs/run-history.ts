import * as vscode from 'vscode';
import type { RunReport } from '../../core/report/report';
import { Disposable } from '../disposable';

/** A finished run as it is kept. */
export interface KeptRun {
  readonly id: number;
  readonly report: RunReport;
}

const storageKey = 'runs';

/** Runs that are kept. */
const capacity = 20;

/** The last runs of this workspace, newest first, in the extension's own storage. */
export class RunHistory extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  /** Fires after a run was added. */
  readonly onDidChange = this.changed.event;

  constructor(private readonly storage: vscode.Memento) {
    super();
  }

  get runs(): readonly KeptRun[] {
    return this.storage.get<readonly KeptRun[]>(storageKey, []);
  }

  async add(report: RunReport): Promise<void> {
    const id = Math.max(0, ...this.runs.map((run) => run.id)) + 1;
    await this.storage.update(storageKey, [{ id, report }, ...this.runs].slice(0, capacity));
    this.changed.fire();
  }
}
