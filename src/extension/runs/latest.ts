import * as vscode from 'vscode';
import type { Plan } from '../../core/plan/plan';
import type { LabRecord, RecordKind, RecordOf, RunRecord } from '../../core/record/record';
import type { RunReport } from '../../core/report/report';
import { scenarioLabel } from '../../core/scenario/scenario';
import { Disposable } from '../disposable';
import type { PlannedText } from '../prompts/sent-prompt';
import type { RunHistory } from './run-history';

/** The newest report of a kind in the history: after a restart, that of before. */
export class Latest<Kind extends RecordKind> extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  /** Fires when another report is the newest. */
  readonly onDidChange = this.changed.event;
  private last: LabRecord | undefined;

  constructor(
    history: RunHistory,
    private readonly kind: Kind,
  ) {
    super();
    this.update(history);
    this.own(history.onDidChange(() => this.update(history)));
  }

  /** The newest report, or null where there is none. */
  get report(): RecordOf<Kind>['report'] | null {
    // It is of that kind: `update` sees to it.
    return (this.last?.report ?? null) as RecordOf<Kind>['report'] | null;
  }

  private update(history: RunHistory): void {
    const newest = history.newest(this.kind);
    if (newest !== this.last) {
      this.last = newest;
      this.changed.fire();
    }
  }
}

/** The fields of a plan that identify a run of a given text. */
type RunOptions = Pick<Plan, 'tokens' | 'oracle' | 'construction' | 'scenario'>;

/** Whether a run has exactly this text and this plan. @param sha256 of the text */
export function isRunOf(report: RunReport, sha256: string, plan: RunOptions): boolean {
  return (
    report.prompt.tokens === plan.tokens &&
    report.oracle.inputLength === plan.oracle.inputLength &&
    report.oracle.layers === plan.oracle.layers &&
    report.oracle.heads === plan.oracle.heads &&
    report.construction === plan.construction &&
    scenarioLabel(report.scenario) === scenarioLabel(plan.scenario) &&
    report.prompt.sha256 === sha256
  );
}

/** The newest run of a prompt under its latest plan. */
export function latestRunOf(runs: readonly RunRecord[], { sha256, plan }: PlannedText): RunReport | undefined {
  return runs.find(({ report }) => isRunOf(report, sha256, plan))?.report;
}
