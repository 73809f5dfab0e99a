import { posix } from 'node:path';
import * as vscode from 'vscode';
import { predictionArithmetic } from '../../core/hints/expected';
import { planArithmetic, planHeadline } from '../../core/hints/hints';
import { t } from '../../core/l10n';
import { withBreakEven } from '../../core/predict/prediction';
import { showError, showWarning } from '../notify';
import type { PanelView } from '../panel/panel-view';
import type { Front } from '../prompts/active-prompt';
import { planOf } from '../prompts/awaited-plan';
import type { PromptDocument } from '../prompts/notebooks';
import { goToExpensivePart } from './part-picker';

/** What answers come from. */
type Sources = Parameters<typeof planOf>[1] & { readonly plans: Parameters<typeof goToExpensivePart>[2] };

/** Shows a plan's arithmetic in a modal message, because the user asked for it and reads it once. */
export async function showPlan(document: PromptDocument, sources: Sources & { readonly panel: PanelView }): Promise<void> {
  const planned = await planOf(document, sources);
  if (planned.error !== null) {
    void showError(`Two Heads: ${planned.error}`);
    return;
  }
  const { plan, calibration, cache, memory } = planned;
  const prediction = withBreakEven(planned.prediction, plan, calibration);
  const detail = `${planArithmetic(plan, cache, memory)}\n\n${predictionArithmetic(prediction)}`.replaceAll(/[*`]/g, '');
  const open = t('Open Panel');
  if ((await vscode.window.showInformationMessage(planHeadline(plan), { modal: true, detail }, open)) === open) {
    await sources.panel.reveal();
  }
}

/** Goes to the part of a prompt that costs most. */
export async function goToExpensiveBlock({ document, editor }: Front, sources: Sources): Promise<void> {
  if (editor === undefined) {
    void showWarning(
      t('Two Heads: blocks have no place in the cells of a notebook; open {0} as text to go to them.', posix.basename(document.uri.path)),
    );
    return;
  }
  const planned = await planOf(document, sources);
  if (planned.error === null) {
    await goToExpensivePart(editor, planned, sources.plans);
  } else {
    void showError(`Two Heads: ${planned.error}`);
  }
}
