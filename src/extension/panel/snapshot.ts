import * as vscode from 'vscode';
import type { LedgerReport } from '../../core/ledger/report';
import type { RunReport } from '../../core/report/report';
import { scenarioLabel } from '../../core/scenario/scenario';
import type { PromptCosts } from '../../engine/process/open-prompt';
import type { RunRecord } from '../../core/record/record';
import type { Activity, FormChoice, PanelCost, PanelRun, PanelSnapshot } from '../../protocol/panel';
import type { ReadChoice } from '../choice';
import type { PromptPlan } from '../prompts/prompt-plans';
import { isRunOf } from '../runs/latest';
import { editorPlace, type PlannedFront } from './tiles';

/** The extension state that the panel shows. */
interface PanelState extends PlannedFront {
  /** Undefined until they are known. */
  readonly costs: PromptCosts | undefined;
  readonly choice: FormChoice;
  readonly read: ReadChoice;
  readonly activity: Activity;
  readonly runs: readonly RunRecord[];
  readonly ledger: LedgerReport | null;
}

/** Everything the page shows, in one message. */
export function panelSnapshot({ document, editor, planned, costs, choice, read, activity, runs, ledger }: PanelState): PanelSnapshot {
  const plan = planned?.error === null ? planned.plan : null;
  return {
    document: document === undefined ? null : vscode.workspace.asRelativePath(document.uri),
    form: choice,
    formError: read.error ?? planned?.error ?? null,
    plan,
    memory: planned?.error === null ? planned.memory : null,
    prediction: planned?.error === null ? planned.prediction : null,
    cache: planned?.error === null ? planned.cache : null,
    storedBytes: planned?.error === null ? planned.storedBytes : null,
    ...panelCosts(planned, costs, runs),
    activity,
    place: editorPlace({ editor, planned }),
    runs: panelRuns(runs, (report) => planned?.error === null && isRunOf(report, planned.sha256, planned.plan)),
    keptRuns: runs.length,
    ledger,
  };
}

/** Runs sent to the page: only some of the history, because they are sent at every keystroke. */
const sentRuns = 20;

/** The newest runs, and the newest run of the current plan, however old. */
function panelRuns(runs: readonly RunRecord[], isCurrent: (report: RunReport) => boolean): PanelRun[] {
  const sent = runs.slice(0, sentRuns).map(({ id, report }): PanelRun => ({ id, report, current: isCurrent(report) }));
  const older = sent.some(({ current }) => current) ? undefined : runs.slice(sentRuns).find(({ report }) => isCurrent(report));
  return older === undefined ? sent : [...sent, { id: older.id, report: older.report, current: true }];
}

/** The cost of the same prompt under each scenario, with the measured time where it was run. */
function panelCosts(
  planned: PromptPlan | undefined,
  costs: PromptCosts | undefined,
  runs: readonly RunRecord[],
): Pick<PanelSnapshot, 'scenarioCosts' | 'impossibleScenarios'> {
  if (planned === undefined || planned.error !== null || costs === undefined) {
    return { scenarioCosts: [], impossibleScenarios: [] };
  }
  const { plan, sha256 } = planned;
  const { possible, impossible } = costs;
  const newest = (label: string): RunReport | undefined =>
    runs.find(({ report }) => scenarioLabel(report.scenario) === label && isRunOf(report, sha256, { ...plan, scenario: report.scenario }))
      ?.report;
  return {
    scenarioCosts: possible.map((cost): PanelCost => {
      const report = newest(cost.label);
      return { ...cost, measuredMs: report?.run.wallMs ?? null, measuredFailed: report?.verdict.kind === 'failed' };
    }),
    impossibleScenarios: impossible,
  };
}
