import * as vscode from 'vscode';
import { Disposable } from '../disposable';
import { continuationScheme } from '../tasks/continuations';
import { promptLanguages, settingsSection } from '../settings';

/** Schemes of read-only documents: logs, and Two Heads' own output. */
const shownSchemes = ['output', continuationScheme];

/** Whether a document is a prompt: of a configured language, or a `.prompt` file. */
export function isPrompt(document: vscode.TextDocument): boolean {
  return (
    !shownSchemes.includes(document.uri.scheme) &&
    (promptLanguages().includes(document.languageId) || document.uri.path.endsWith('.prompt'))
  );
}

/**
 * Tracks the active prompt: the editor that was active last and shows a prompt.
 *
 * It stays active while a panel has the focus, and is cleared when its editor closes.
 */
export class ActivePrompt extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  /** Fires when another prompt, or none, becomes active. */
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

  /** The editor of the active prompt. */
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
