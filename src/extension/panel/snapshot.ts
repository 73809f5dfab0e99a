import * as vscode from 'vscode';
import { messageOf } from '../../core/errors';
import { makeScenario, scenarioLabel, scenarioTitle, standardKinds, type ScenarioParameters } from '../../core/masks';
import { makePlan, type Plan } from '../../core/plan/plan';
import { planRequest } from '../../core/plan/request';
import type { Calibration } from '../../core/device/calibration';
import { devicePrediction } from '../../core/report/prediction';
import type { LedgerReport } from '../../core/report/ledger';
import type { Activity, FormChoice, PanelRun, PanelSnapshot, ScenarioCost } from '../../protocol/panel';
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
    ...(plan === null ? { scenarioCosts: [], impossibleScenarios: [] } : scenarioCosts(plan, choice.parameters, planned?.error === null ? planned.calibration : undefined)),
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

/** What each scenario would cost for the same prompt, model and small transformer: a plan each, where the parameters fit it. */
function scenarioCosts(plan: Plan, parameters: ScenarioParameters, calibration: Calibration | undefined): Pick<PanelSnapshot, 'scenarioCosts' | 'impossibleScenarios'> {
  const { tokens, model, construction, oracle } = plan;
  const options = { construction, blockSize: oracle.inputLength, oracleLayers: oracle.layers, oracleHeads: oracle.heads };
  // One for all layers is tried of each kind; layers that differ are the plan's own.
  const costs: ScenarioCost[] = plan.scenario.kind === 'per-layer' ? [costOf(plan, calibration)] : [];
  // Two scenarios may share what is wrong with their window: it is said once.
  const impossible = new Set<string>();
  for (const kind of [...standardKinds, ...(plan.scenario.kind === 'custom' ? (['custom'] as const) : [])]) {
    try {
      const request = planRequest(tokens, model, { ...options, scenario: makeScenario(kind, parameters) });
      costs.push(costOf(makePlan({ ...request, scoreBytes: plan.scoreBytes }), calibration));
    } catch (error) {
      impossible.add(messageOf(error));
    }
  }
  return { scenarioCosts: costs, impossibleScenarios: [...impossible] };
}

function costOf(plan: Plan, calibration: Calibration | undefined): ScenarioCost {
  const { scenario, calls, bound, flops } = plan;
  return {
    kind: scenario.kind,
    title: scenarioTitle(scenario),
    label: scenarioLabel(scenario),
    attentionCalls: calls.attention,
    tokenwiseCalls: calls.tokenwise,
    boundCalls: bound.calls,
    flops,
    predictedMs: devicePrediction(plan, calibration)?.wallMs ?? null,
  };
}
