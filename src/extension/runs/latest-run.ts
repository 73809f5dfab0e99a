import type * as vscode from 'vscode';
import type { Plan } from '../../core/plan/plan';
import { scenarioLabel } from '../../core/scenario/scenario';
import type { RunReport } from '../../core/report/report';
import type { KeptRun } from '../../engine/history/kept-run';
import { digestOf } from '../prompts/digest';

/** What tells runs of one text apart. */
type RunOptions = Pick<Plan, 'tokens' | 'oracle' | 'construction' | 'scenario'>;

/** Whether a run is one of this very text under this very plan. */
export function isRunOf(report: RunReport, document: vscode.TextDocument, plan: RunOptions): boolean {
  return (
    report.prompt.tokens === plan.tokens &&
    report.oracle.inputLength === plan.oracle.inputLength &&
    report.oracle.layers === plan.oracle.layers &&
    report.oracle.heads === plan.oracle.heads &&
    report.construction === plan.construction &&
    scenarioLabel(report.scenario) === scenarioLabel(plan.scenario) &&
    report.prompt.sha256 === digestOf(document)
  );
}

/** The newest run of a document as it is now planned. */
export function latestRunOf(runs: readonly KeptRun[], document: vscode.TextDocument, plan: RunOptions): RunReport | undefined {
  return runs.find(({ report }) => isRunOf(report, document, plan))?.report;
}
