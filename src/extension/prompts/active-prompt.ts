import * as vscode from 'vscode';
import { Disposable } from '../disposable';
import { canBePrompt, type PromptDocuments } from './prompt-documents';

/** Context key for the manifest: whether a prompt is in front, or another text that can be edited; undefined without one. */
const frontKey = 'twoHeads.front';

/**
 * Tracks the editor in front and the prompt in it: what commands act on, and what panel and status item show.
 *
 * Where the focus is in no text editor, the one that had it last stays in front while it is visible.
 */
export class ActivePrompt extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  /** Fires when another editor comes to the front, or its text becomes a prompt or ceases to be one. */
  readonly onDidChange = this.changed.event;
  private current: vscode.TextEditor | undefined;
  private isPrompt = false;

  constructor(private readonly prompts: PromptDocuments) {
    super();
    this.update();
    this.own(vscode.window.onDidChangeActiveTextEditor(() => this.update()));
    this.own(vscode.window.onDidChangeVisibleTextEditors(() => this.update()));
    // A document whose language changes is opened anew.
    this.own(vscode.workspace.onDidOpenTextDocument((document) => document === this.current?.document && this.update()));
    this.own(prompts.onDidChange(() => this.update()));
  }

  /** The editor in front, whatever it shows. */
  get front(): vscode.TextEditor | undefined {
    return this.current;
  }

  /** The editor in front if it shows a prompt. */
  get editor(): vscode.TextEditor | undefined {
    return this.isPrompt ? this.current : undefined;
  }

  private update(): void {
    const { activeTextEditor, visibleTextEditors } = vscode.window;
    const before = this.current;
    const front =
      activeTextEditor ??
      visibleTextEditors.find((editor) => editor === before) ??
      visibleTextEditors.find((editor) => editor.document === before?.document);
    const isPrompt = front !== undefined && this.prompts.isPrompt(front.document);
    if (front !== before || isPrompt !== this.isPrompt) {
      this.current = front;
      this.isPrompt = isPrompt;
      const seen = front && canBePrompt(front.document) ? (isPrompt ? 'prompt' : 'text') : undefined;
      void vscode.commands.executeCommand('setContext', frontKey, seen);
      this.changed.fire();
    }
  }
}
