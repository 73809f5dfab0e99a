import * as vscode from 'vscode';
import { Disposable } from '../disposable';

/** The report of the latest run of its kind. It is kept in memory only, and is run again where it is missed. */
export class Latest<Report> extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  /** Fires after another report has come. */
  readonly onDidChange = this.changed.event;
  private last: Report | null = null;

  /** The last report, or null before the first. */
  get report(): Report | null {
    return this.last;
  }

  /** Keeps a report in place of the one before it. */
  set(report: Report): void {
    this.last = report;
    this.changed.fire();
  }
}
