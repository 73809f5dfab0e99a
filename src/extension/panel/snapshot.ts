import * as vscode from 'vscode';
import { makeScenario, scenarioKinds, scenarioLabel, type ScenarioParameters } from '../../core/masks';
import { makePlan, type Plan } from '../../core/plan/plan';
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
}

/** Everything the page shows, as one message. */
export function panelSnapshot({ editor, planned, choice, read, activity, runs }: PanelState): PanelSnapshot {
  const plan = planned?.error === null ? planned.plan : null;
  return {
    document: editor === undefined ? null : vscode.workspace.asRelativePath(editor.document.uri),
    form: choice,
    formError: read.error ?? planned?.error ?? null,
    plan,
    scenarioCosts: plan === null ? [] : scenarioCosts(plan, choice.parameters),
    activity,
    cursorBlock: editor === undefined ? null : cursorBlock(editor, planned),
    runs: runs.map(({ id, report }): PanelRun => ({
      id,
      report,
      current: editor !== undefined && plan !== null && isRunOf(report, editor.document, plan),
    })),
  };
}

/** The 0-based block that holds the cursor. */
export function cursorBlock(editor: vscode.TextEditor, planned: PromptPlan | undefined): number | null {
  if (planned === undefined || planned.error !== null || planned.version !== editor.document.version) {
    return null;
  }
  const token = planned.tokenMap.tokenAt(editor.document.offsetAt(editor.selection.active));
  return Math.floor(token / planned.plan.oracle.inputLength);
}

/** What each scenario would cost for the same prompt, model and block size: a plan each. */
function scenarioCosts(plan: Plan, parameters: ScenarioParameters): ScenarioCost[] {
  return scenarioKinds.map((kind) => {
    const scenario = makeScenario(kind, parameters);
    const { calls, bound, flops } = makePlan({ ...plan, scenario });
    return {
      kind,
      label: scenarioLabel(scenario),
      attentionCalls: calls.attention,
      tokenwiseCalls: calls.tokenwise,
      boundCalls: bound.calls,
      flops,
    };
  });
}
