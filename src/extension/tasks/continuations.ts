import { posix } from 'node:path';
import * as vscode from 'vscode';
import { type GenerationReport, generationText } from '../../core/generate/report';
import { t } from '../../core/l10n';
import { Disposable } from '../disposable';

/** The scheme of documents with continuations: read-only, and not prompts themselves. */
export const continuationScheme = 'two-heads-continuation';

/** Shows continuations beside their prompts; a prompt's latest continuation replaces the previous one. */
export class Continuations extends Disposable implements vscode.TextDocumentContentProvider {
  private readonly changed = this.own(new vscode.EventEmitter<vscode.Uri>());
  readonly onDidChange = this.changed.event;
  private readonly texts = new Map<string, string>();

  constructor() {
    super();
    this.own(vscode.workspace.registerTextDocumentContentProvider(continuationScheme, this));
    this.own(vscode.workspace.onDidCloseTextDocument(({ uri }) => this.texts.delete(uri.toString())));
  }

  provideTextDocumentContent(uri: vscode.Uri): string | undefined {
    return this.texts.get(uri.toString());
  }

  /** Opens a continuation in the editor column beside. */
  async show(report: GenerationReport): Promise<void> {
    const uri = vscode.Uri.from({
      scheme: continuationScheme,
      path: `/${t('Continuation of {0}', posix.basename(report.prompt.path))}.txt`,
    });
    this.texts.set(uri.toString(), `${generationText(report)}\n`);
    this.changed.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true, preview: true });
  }
}
