import * as vscode from 'vscode';
import { scenarioCosts } from '../../core/device/scenario-costs';
import { scenarioLabel, type ScenarioParameters } from '../../core/masks';
import type { LedgerReport } from '../../core/report/ledger';
import type { Activity, FormChoice, PanelCost, PanelRun, PanelSnapshot } from '../../protocol/panel';
import type { ReadChoice } from '../choice';
import type { PromptPlan } from '../prompts/prompt-plans';
import { isRunOf } from '../runs/latest-run';
import type { KeptRun } from '../runs/run-history';

/** The state of the extension that the panel shows. */
export interface PanelState {
  readonly editor: vscode.TextEditor | undefined;
  readonly planned: PromptPlan | undefined;
  readonly choice: FormChoice;
  readonly read: ReadChoice;
  readonly activity: Activity;
  readonly runs: readonly KeptRun[];
  readonly ledger: LedgerReport | null;
}

/** Everything the page shows, as one message. */
export function panelSnapshot({ editor, planned, choice, read, activity, runs, ledger }: PanelState): PanelSnapshot {
  const plan = planned?.error === null ? planned.plan : null;
  return {
    document: editor === undefined ? null : vscode.workspace.asRelativePath(editor.document.uri),
    form: choice,
    formError: read.error ?? planned?.error ?? null,
    plan,
    prediction: planned?.error === null ? planned.prediction : null,
    ...panelCosts(editor, planned, choice.parameters, runs),
    activity,
    cursorBlock: editor === undefined ? null : cursorBlock(editor, planned),
    runs: runs.map(({ id, report }): PanelRun => ({
      id,
      report,
      current: editor !== undefined && plan !== null && isRunOf(report, editor.document, plan),
    })),
    ledger,
  };
}

/** The 0-based block that holds the cursor. */
export function cursorBlock(editor: vscode.TextEditor, planned: PromptPlan | undefined): number | null {
  if (planned === undefined || planned.error !== null || planned.version !== editor.document.version) {
    return null;
  }
  const token = planned.tokenMap.tokenAt(editor.document.offsetAt(editor.selection.active));
  return Math.floor(token / planned.plan.blockSize);
}

/** What each scenario would cost the same prompt, and what it took where it was run. */
function panelCosts(editor: vscode.TextEditor | undefined, planned: PromptPlan | undefined, parameters: ScenarioParameters, runs: readonly KeptRun[]): Pick<PanelSnapshot, 'scenarioCosts' | 'impossibleScenarios'> {
  if (planned === undefined || planned.error !== null) {
    return { scenarioCosts: [], impossibleScenarios: [] };
  }
  const { plan, prediction, calibration } = planned;
  const { possible, impossible } = scenarioCosts(plan, prediction, parameters, calibration);
  const measured = (label: string): number | null => (editor && runs.find(({ report }) => scenarioLabel(report.scenario) === label && isRunOf(report, editor.document, { ...plan, scenario: report.scenario })))?.report.run.wallMs ?? null;
  return { scenarioCosts: possible.map((cost): PanelCost => ({ ...cost, measuredMs: measured(cost.label) })), impossibleScenarios: impossible };
}
