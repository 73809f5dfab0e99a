import * as vscode from 'vscode';
import { t } from '../../core/l10n';
import { Disposable } from '../disposable';
import type { Notebooks } from '../prompts/notebooks';
import { canBePrompt, type PromptDocuments } from '../prompts/prompt-documents';

/** Offers to treat any text as a prompt, and to stop it: only where the user asks for actions, so that no light bulb comes of it. */
export class PromptActions extends Disposable implements vscode.CodeActionProvider {
  private readonly kind = vscode.CodeActionKind.Refactor.append('prompt');

  constructor(
    private readonly prompts: PromptDocuments,
    private readonly notebooks: Notebooks,
  ) {
    super();
    this.own(vscode.languages.registerCodeActionsProvider({ pattern: '**' }, this, { providedCodeActionKinds: [this.kind] }));
  }

  provideCodeActions(
    document: vscode.TextDocument,
    _: vscode.Range | vscode.Selection,
    { triggerKind }: vscode.CodeActionContext,
  ): vscode.CodeAction[] {
    if (triggerKind !== vscode.CodeActionTriggerKind.Invoke || !canBePrompt(document)) {
      return [];
    }
    // The commands act on what is in front, which is a notebook as a whole.
    const isPrompt = this.prompts.isPrompt(this.notebooks.ofCell(document) ?? document);
    const title = isPrompt ? t('Stop Treating as Prompt') : t('Treat as Prompt');
    const action = new vscode.CodeAction(title, this.kind);
    action.command = { title, command: isPrompt ? 'twoHeads.stopTreatingAsPrompt' : 'twoHeads.treatAsPrompt' };
    return [action];
  }
}
