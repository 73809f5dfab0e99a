import * as vscode from 'vscode';
import type { LedgerReport } from '../../core/report/ledger';
import { Disposable } from '../disposable';

/** The ledger that ran last. It is kept in memory only: it takes seconds to run again. */
export class LedgerStore extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  /** Fires after another ledger has run. */
  readonly onDidChange = this.changed.event;
  private last: LedgerReport | null = null;

  /** The last report, or null before the first. */
  get report(): LedgerReport | null {
    return this.last;
  }

  /** Keeps a report in place of the one before it. */
  set(report: LedgerReport): void {
    this.last = report;
    this.changed.fire();
  }
}
