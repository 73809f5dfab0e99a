import * as vscode from 'vscode';
import type { RunReport } from '../../core/report/report';
import { Disposable } from '../disposable';

/** A finished run as it is kept. */
export interface KeptRun {
  readonly id: number;
  readonly report: RunReport;
}

const storageKey = 'runs';

type Run = RunReport['run'];

/** A report as some version stored it: keys that were added since are missing. */
type StoredReport = Omit<RunReport, 'sampling' | 'prediction' | 'run'> & {
  readonly sampling?: RunReport['sampling'];
  readonly prediction?: RunReport['prediction'];
  readonly run: Omit<Run, 'calls' | 'phases' | 'executor' | 'precision'> & {
    readonly executor?: Run['executor'];
    readonly precision?: Run['precision'];
    readonly phases: Omit<Run['phases'], 'gather' | 'layer'> & { readonly gather?: number; readonly layer?: number };
    readonly calls: Omit<Run['calls'], 'retries'> & { readonly retries?: number };
  };
};

interface StoredRun {
  readonly id: number;
  readonly report: StoredReport;
}

/** The report with what its version could not have: nothing was sampled, predicted, compiled or called again. */
function completed(report: StoredReport): RunReport {
  const { run, sampling = null, prediction = null } = report;
  const { calls, phases, executor = 'tiles', precision = 'float32' } = run;
  return { ...report, sampling, prediction, run: { ...run, executor, precision, phases: { gather: 0, layer: 0, ...phases }, calls: { ...calls, retries: calls.retries ?? 0 } } };
}

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
    return this.storage.get<readonly StoredRun[]>(storageKey, []).map(({ id, report }) => ({ id, report: completed(report) }));
  }

  async add(report: RunReport): Promise<void> {
    const id = Math.max(0, ...this.runs.map((run) => run.id)) + 1;
    await this.storage.update(storageKey, [{ id, report }, ...this.runs].slice(0, capacity));
    this.changed.fire();
  }
}
