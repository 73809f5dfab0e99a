import { posix } from 'node:path';
import * as vscode from 'vscode';
import { errorShown } from '../../core/errors';
import type { ExperimentSummary } from '../../core/evaluate/report';
import type { ExperimentOutlook } from '../../core/lab/outlook';
import type { RunReport } from '../../core/report/report';
import type { Range } from '../../core/scenario/scenario';
import type { LabAtlas, LabExperiment, LabSnapshot } from '../../protocol/lab';
import { Disposable } from '../disposable';
import type { ExperimentOutlooks } from '../experiments/experiment-outlooks';
import type { Latest } from '../runs/latest';
import type { Engine } from '../tasks/engine';
import { labAtlas } from './lab-atlas';
import type { LabSource, SourceMessage } from './lab-page';
import { withoutAtlas } from './prompt-lab';

/** Pause after a change before a file is read again, in milliseconds: results come line by line. */
const pauseMs = 500;

/** A lab of a file, which is read again when it changes. */
abstract class FileLab extends Disposable implements LabSource {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  readonly onDidChange = this.changed.event;
  readonly onDidSelect = this.own(new vscode.EventEmitter<Range | null>()).event;
  protected error: string | null = null;
  private timer: NodeJS.Timeout | undefined;
  /** Counts readings: an answer that a later one has overtaken is dropped. */
  private reading = 0;
  private disposed = false;

  constructor(protected readonly document: vscode.TextDocument) {
    super();
    this.own(vscode.workspace.onDidSaveTextDocument((saved) => saved === document && this.readSoon()));
    this.own({ dispose: () => clearTimeout(this.timer) });
    this.own({ dispose: () => (this.disposed = true) });
  }

  abstract readonly atlas: LabAtlas | null;
  abstract readonly experiment: LabExperiment | null;
  protected abstract readonly subject: LabSnapshot['subject'];
  protected abstract readonly runs: readonly RunReport[];

  /** Reads the file and keeps what it holds. @throws what is shown in place of it */
  protected abstract load(): Promise<() => void>;

  abstract act(message: SourceMessage): unknown;

  snapshot(activity: LabSnapshot['activity']): LabSnapshot {
    const { subject, document, error, runs } = this;
    return {
      subject,
      document: posix.basename(document.uri.path),
      error,
      plan: null,
      prediction: null,
      memory: null,
      roof: null,
      runs,
      current: runs.at(0) ?? null,
      activity,
    };
  }

  /** Reads the file again after a pause. */
  protected readSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.read(), pauseMs);
  }

  /** Reads the file. */
  protected async read(): Promise<void> {
    this.reading += 1;
    const own = this.reading;
    let keep: () => void;
    try {
      const loaded = await this.load();
      keep = () => {
        this.error = null;
        loaded();
      };
    } catch (error) {
      keep = () => (this.error = errorShown(error));
    }
    if (own === this.reading && !this.disposed) {
      keep();
      this.changed.fire();
    }
  }

  protected change(): void {
    this.changed.fire();
  }
}

/** The lab of an experiment file, or of its results. */
export class ExperimentLab extends FileLab {
  protected readonly subject = 'experiment';
  protected readonly runs: readonly RunReport[] = [];
  readonly atlas: LabAtlas | null = null;
  private outlook: ExperimentOutlook | null = null;
  private shown: LabExperiment | null = null;
  private watcher: { readonly path: string; readonly disposable: vscode.Disposable } | undefined;

  /** @param run runs an experiment file, by its path */
  constructor(
    document: vscode.TextDocument,
    private readonly outlooks: ExperimentOutlooks,
    private readonly latest: Latest<'evaluation'>,
    private readonly run: (file: string) => Promise<void>,
  ) {
    super(document);
    this.own(latest.onDidChange(() => this.readAnew()));
    this.own({ dispose: () => void this.watcher?.disposable.dispose() });
    void this.read();
  }

  get experiment(): LabExperiment | null {
    return this.shown;
  }

  async act(message: SourceMessage): Promise<void> {
    if (message.type === 'run' && this.outlook !== null) {
      await this.document.save();
      await this.run(this.outlook.file);
    }
  }

  protected async load(): Promise<() => void> {
    const outlook = await this.outlooks.read(this.document);
    return () => {
      this.outlook = outlook;
      this.watch(outlook.experiment.results);
      this.shown = { outlook, evaluation: outlook.evaluation ?? this.latestOfThis() };
    };
  }

  private readAnew(): void {
    this.outlooks.renew(this.document);
    this.readSoon();
  }

  /** What the last run of exactly this experiment found, where no results are kept. */
  private latestOfThis(): ExperimentSummary | null {
    const { report } = this.latest;
    return report !== null && this.outlook !== null && JSON.stringify(report.experiment) === JSON.stringify(this.outlook.experiment)
      ? report
      : null;
  }

  /** Reads the file again when results are written, by this window or by another program. */
  private watch(results: string | null): void {
    if (this.watcher?.path === results) {
      return;
    }
    this.watcher?.disposable.dispose();
    this.watcher = undefined;
    if (results !== null) {
      const { dir, base } = posix.parse(vscode.Uri.file(results).path);
      const pattern = new vscode.RelativePattern(vscode.Uri.file(dir), /\.\w+$/.test(base) ? base : `${base}/*.jsonl`);
      const watcher = vscode.workspace.createFileSystemWatcher(pattern);
      watcher.onDidChange(() => this.readAnew());
      watcher.onDidCreate(() => this.readAnew());
      this.watcher = { path: results, disposable: watcher };
    }
  }
}

/** The lab of a file of runs. */
export class RunsLab extends FileLab {
  protected readonly subject = 'runs';
  protected runs: readonly RunReport[] = [];
  readonly experiment: LabExperiment | null = null;
  atlas: LabAtlas | null = null;

  constructor(
    document: vscode.TextDocument,
    private readonly engine: Engine,
  ) {
    super(document);
    void this.read();
  }

  /** There is nothing to run, and no text that its tokens are of. */
  act(): void {
    this.change();
  }

  protected async load(): Promise<() => void> {
    const reports = await this.engine.call('readRuns', { path: posix.basename(this.document.uri.path), text: this.document.getText() });
    return () => {
      const newest = [...reports].sort((one, other) => Date.parse(other.environment.date) - Date.parse(one.environment.date));
      const mapped = newest.find(({ atlas }) => atlas !== undefined);
      this.atlas = mapped === undefined ? null : labAtlas(mapped);
      this.runs = newest.map(withoutAtlas);
    };
  }
}
