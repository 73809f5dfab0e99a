import * as vscode from 'vscode';
import type { ExperimentOutlook } from '../../core/lab/outlook';
import { Disposable } from '../disposable';
import type { Engine } from '../tasks/engine';
import type { SingleTask } from '../tasks/single-task';

/** What was read of an experiment file. */
interface Reading {
  /** Of the document when it was asked for. */
  readonly version: number;
  readonly answer: Promise<ExperimentOutlook>;
  /** Undefined until the first answer for this version. */
  outlook: ExperimentOutlook | undefined;
  /** Whether results may have landed since, or it could not be said. */
  isStale: boolean;
}

/** What experiment files would cost and what is measured of them, asked of the engine once for all that show it. */
export class ExperimentOutlooks extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  /** When something is known that was not, or is no longer up to date. */
  readonly onDidChange = this.changed.event;
  private readonly readings = new Map<string, Reading>();

  constructor(
    private readonly engine: Engine,
    task: SingleTask,
  ) {
    super();
    const forget = (document: vscode.TextDocument): void => {
      if (this.readings.delete(document.uri.toString())) {
        this.changed.fire();
      }
    };
    this.own(vscode.workspace.onDidSaveTextDocument(forget));
    this.own(vscode.workspace.onDidCloseTextDocument(forget));
    let wasRunning = false;
    this.own(
      task.onDidChange(({ state }) => {
        // A run may have kept more.
        if (wasRunning && state !== 'running') {
          this.readings.forEach((reading) => (reading.isStale = true));
          this.changed.fire();
        }
        wasRunning = state === 'running';
      }),
    );
  }

  /** What was last read of a file as it is saved, and whether that may be out of date. */
  known(document: vscode.TextDocument): { readonly outlook: ExperimentOutlook | undefined; readonly isStale: boolean } {
    const reading = document.isDirty ? undefined : this.readingOf(document);
    return { outlook: reading?.outlook, isStale: reading?.isStale ?? true };
  }

  /** What a file would cost, as it is saved. @throws what the engine says of a file that cannot run */
  read(document: vscode.TextDocument): Promise<ExperimentOutlook> {
    const before = this.readingOf(document);
    if (before?.isStale === false) {
      return before.answer;
    }
    const reading: Reading = {
      version: document.version,
      answer: this.engine.call('outlook', { file: document.fileName }),
      outlook: before?.outlook,
      isStale: false,
    };
    this.readings.set(document.uri.toString(), reading);
    reading.answer.then(
      (outlook) => {
        reading.outlook = outlook;
        this.changed.fire();
      },
      () => (reading.isStale = true),
    );
    return reading.answer;
  }

  /** Has a file read anew by the next who asks: results may have landed. */
  renew(document: vscode.TextDocument): void {
    const reading = this.readingOf(document);
    if (reading !== undefined) {
      reading.isStale = true;
      this.changed.fire();
    }
  }

  private readingOf(document: vscode.TextDocument): Reading | undefined {
    const reading = this.readings.get(document.uri.toString());
    return reading?.version === document.version ? reading : undefined;
  }
}
