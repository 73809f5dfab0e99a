import * as vscode from 'vscode';
import type { Plan } from '../../core/plan/plan';
import type { RunReport } from '../../core/report/report';
import { scenarioLabel } from '../../core/scenario/scenario';
import type { KeptRun } from '../../engine/store/runs';
import { Disposable } from '../disposable';
import type { PlannedText } from '../prompts/sent-prompt';

/** The latest report of a kind. It is kept in memory only; the user can run it again. */
export class Latest<Report> extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  /** Fires when the report changes. */
  readonly onDidChange = this.changed.event;
  private last: Report | null = null;

  /** The last report, or null before the first. */
  get report(): Report | null {
    return this.last;
  }

  /** Replaces the report. */
  set(report: Report): void {
    this.last = report;
    this.changed.fire();
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
export function latestRunOf(runs: readonly KeptRun[], { sha256, plan }: PlannedText): RunReport | undefined {
  return runs.find(({ report }) => isRunOf(report, sha256, plan))?.report;
}
