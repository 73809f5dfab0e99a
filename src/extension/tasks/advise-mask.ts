import * as vscode from 'vscode';
import { adviseTable } from '../../core/advise/options';
import { briefExperiment } from '../../core/evaluate/brief';
import { t, text } from '../../core/l10n';
import { askReal } from '../editor/scenario-picker';
import { showWarning } from '../notify';
import type { RunSource } from './run-source';
import type { Runner } from './runner';

/** The mean KL divergence that a mask may cause, and the one that is offered. */
const divergenceQuestion = {
  title: text('Mean KL divergence'),
  description: text("How far predictions may be from those of the model's own attention, in nats: some 20 runs find the cheapest masks."),
  value: adviseTable.maxKl.value,
} as const;
const usualDivergence = 0.02;

/** Asks for a limit, finds the cheapest masks within it, and opens the experiment file that repeats them: a document that the user saves or not. */
export async function adviseMask(source: RunSource, runner: Runner): Promise<void> {
  if (vscode.Uri.parse(source.uri).scheme === 'untitled') {
    void showWarning(t('Two Heads: {0} is no file yet, and advice is an experiment file that names it; save it first.', source.path));
    return;
  }
  const limit = await askReal(divergenceQuestion, usualDivergence);
  const report = limit === undefined ? undefined : await runner.advise(source, limit);
  if (report?.answer) {
    const content = `${briefExperiment(report.experiment)}\n`;
    const document = await vscode.workspace.openTextDocument({ language: 'json', content });
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside });
  }
}
