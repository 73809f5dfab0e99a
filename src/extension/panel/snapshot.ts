import * as vscode from 'vscode';
import { messageOf } from '../../core/errors';
import { makeScenario, scenarioLabel, scenarioTitle, standardKinds, type ScenarioParameters } from '../../core/masks';
import { makePlan, type Plan } from '../../core/plan/plan';
import { planRequest } from '../../core/plan/request';
import type { Calibration } from '../../core/device/calibration';
import { devicePrediction } from '../../core/report/prediction';
import type { RunReport } from '../../core/report/report';
import type { LedgerReport } from '../../core/report/ledger';
import type { KeptRun } from '../../engine/history/kept-run';
import type { Activity, FormChoice, PanelRun, PanelSnapshot, ScenarioCost } from '../../protocol/panel';
import type { ReadChoice } from '../choice';
import { isRunOf } from '../runs/latest-run';
import { editorPlace } from './editor-place';
import type { PlannedEditor } from './tiles';

/** The state of the extension that the panel shows. */
export interface PanelState extends PlannedEditor {
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
    place: editorPlace({ editor, planned }),
    runs: panelRuns(runs, (report) => editor !== undefined && plan !== null && isRunOf(report, editor.document, plan)),
    keptRuns: runs.length,
    ledger,
  };
}

/** Runs that the page is sent: with every keystroke, so not all that are kept. */
const sentRuns = 20;

/** The newest runs, and the newest of what is now shown however old it is. */
function panelRuns(runs: readonly KeptRun[], isCurrent: (report: RunReport) => boolean): PanelRun[] {
  const sent = runs.slice(0, sentRuns).map(({ id, report }): PanelRun => ({ id, report, current: isCurrent(report) }));
  const older = sent.some(({ current }) => current) ? undefined : runs.slice(sentRuns).find(({ report }) => isCurrent(report));
  return older === undefined ? sent : [...sent, { id: older.id, report: older.report, current: true }];
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
