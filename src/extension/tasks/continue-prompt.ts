import { largestGeneration } from '../../core/generate/report';
import { text } from '../../core/l10n';
import { askNumber, type NumberQuestion } from '../editor/scenario-picker';
import type { ReportView } from '../runs/report-view';
import type { RunSource } from './run-source';
import type { Runner } from './runner';

const generationQuestion: NumberQuestion = {
  title: text('Tokens to add'),
  description: text("The prompt is continued under the chosen scenario and under the model's own attention."),
  minimum: 1,
  maximum: largestGeneration,
};

/** Asks how many tokens to add, continues a prompt by them, and opens the result. */
export async function continuePrompt(
  source: RunSource,
  { runner, reports }: { readonly runner: Runner; readonly reports: ReportView },
): Promise<void> {
  const tokens = await askNumber(generationQuestion, 32);
  const record = tokens === undefined ? undefined : await runner.continue(source, tokens);
  if (record !== undefined) {
    await reports.open(record);
  }
}
