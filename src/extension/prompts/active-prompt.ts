import * as vscode from 'vscode';
import { Disposable } from '../disposable';
import { continuationScheme } from '../tasks/continuations';
import { promptLanguages, settingsSection } from '../settings';

/** Schemes of documents that are for reading: logs, and what Two Heads itself says. */
const shownSchemes = ['output', continuationScheme];

/** Whether a document is a prompt: of a chosen language, or a `.prompt` file. */
export function isPrompt(document: vscode.TextDocument): boolean {
  return (
    !shownSchemes.includes(document.uri.scheme) &&
    (promptLanguages().includes(document.languageId) || document.uri.path.endsWith('.prompt'))
  );
}

/**
 * Answers "which prompt is in front": the editor that shows a prompt and was active last.
 *
 * It stays while the focus is in a panel, and goes when its editor closes.
 */
export class ActivePrompt extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  /** Fires when another prompt, or none, comes to the front. */
  readonly onDidChange = this.changed.event;
  private current: vscode.TextEditor | undefined;

  constructor() {
    super();
    this.update();
    this.own(vscode.window.onDidChangeActiveTextEditor(() => this.update()));
    this.own(vscode.window.onDidChangeVisibleTextEditors(() => this.update()));
    this.own(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(`${settingsSection}.languages`)) {
          this.update();
        }
      }),
    );
  }

  /** The editor of the prompt in front. */
  get editor(): vscode.TextEditor | undefined {
    return this.current;
  }

  private update(): void {
    const { activeTextEditor, visibleTextEditors } = vscode.window;
    const candidates = [
      activeTextEditor,
      visibleTextEditors.find((editor) => editor.document === this.current?.document),
      ...visibleTextEditors,
    ];
    const next = candidates.find((editor) => editor !== undefined && isPrompt(editor.document));
    if (next !== this.current) {
      this.current = next;
      this.changed.fire();
    }
  }
}
