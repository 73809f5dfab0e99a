import * as vscode from 'vscode';
import { fileName } from '../../core/format';
import { t } from '../../core/l10n';
import { runDescription, runLabel } from '../../core/report/run-label';
import type { KeptRun } from '../../engine/history/kept-run';

/** Asks for runs. @param picked those that are chosen from the start @returns undefined where the user gave up */
export async function pickRuns(
  runs: readonly KeptRun[],
  title: string,
  picked: readonly KeptRun[],
): Promise<readonly KeptRun[] | undefined> {
  const items = itemsOf(runs).map((item) => ({ ...item, picked: picked.includes(item.run) }));
  const chosen = await vscode.window.showQuickPick(items, { title, placeHolder: t('Which runs?'), canPickMany: true, matchOnDetail: true });
  return chosen?.map(({ run }) => run);
}

/** Asks for one run. @returns undefined where the user gave up */
export async function pickRun(runs: readonly KeptRun[], title: string): Promise<KeptRun | undefined> {
  const chosen = await vscode.window.showQuickPick(itemsOf(runs), { title, placeHolder: t('Which run?'), matchOnDetail: true });
  return chosen?.run;
}

function itemsOf(runs: readonly KeptRun[]): (vscode.QuickPickItem & { readonly run: KeptRun })[] {
  return runs.map((run) => ({
    label: runLabel(run.report),
    description: fileName(run.report.prompt.path),
    detail: runDescription(run.report),
    run,
  }));
}
