import * as vscode from 'vscode';
import { t } from '../../core/l10n';
import type { Notebooks, PromptDocument } from './notebooks';
import type { PromptDocuments } from './prompt-documents';
import type { PromptPlan, PromptPlans } from './prompt-plans';

/** What tells of plans, and of documents that will have none. */
interface PlanSources {
  readonly plans: PromptPlans;
  readonly prompts: PromptDocuments;
  readonly notebooks: Notebooks;
}

/** The plan of a prompt as it is now, awaited if necessary. */
export async function planOf(document: PromptDocument, { plans, prompts, notebooks }: PlanSources): Promise<PromptPlan> {
  const present = plans.get(document);
  if (present !== undefined && (present.error !== null || present.version === document.version)) {
    return present;
  }
  return new Promise((resolve) => {
    const settle = (planned: PromptPlan): void => {
      listeners.forEach((listener) => void listener.dispose());
      resolve(planned);
    };
    const listeners = [
      plans.onDidChange((changed) => {
        const latest = changed === document ? plans.get(document) : undefined;
        if (latest !== undefined) {
          settle(latest);
        } else if (changed === document && !prompts.isPrompt(document)) {
          settle({ version: document.version, error: t('This text is no longer a prompt.') });
        }
      }),
      // A closed prompt will not be planned.
      ...[vscode.workspace.onDidCloseTextDocument, notebooks.onDidClose].map((onDidClose) =>
        onDidClose((closed: PromptDocument) => {
          if (closed === document) {
            settle({ version: document.version, error: t('This prompt was closed.') });
          }
        }),
      ),
    ];
  });
}
