import { createHash } from 'node:crypto';
import * as vscode from 'vscode';
import type { Plan } from '../../core/plan/plan';
import type { RunReport } from '../../core/report/report';
import { scenarioLabel } from '../../core/scenario/scenario';
import type { KeptRun } from '../../engine/store/runs';
import { Disposable } from '../disposable';

const digests = new WeakMap<vscode.TextDocument, { readonly version: number; readonly sha256: string }>();

/** Hex SHA-256 of a document's text in UTF-8, computed once per version: reports identify a prompt by it. */
function digestOf(document: vscode.TextDocument): string {
  const known = digests.get(document);
  if (known?.version === document.version) {
    return known.sha256;
  }
  const sha256 = createHash('sha256').update(document.getText(), 'utf8').digest('hex');
  digests.set(document, { version: document.version, sha256 });
  return sha256;
}

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

/** Whether a run has exactly this text and this plan. */
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

/** The newest run of a document under its current plan. */
export function latestRunOf(runs: readonly KeptRun[], document: vscode.TextDocument, plan: RunOptions): RunReport | undefined {
  return runs.find(({ report }) => isRunOf(report, document, plan))?.report;
}
