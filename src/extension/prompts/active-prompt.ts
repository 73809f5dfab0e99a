import * as vscode from 'vscode';
import { Disposable } from '../disposable';
import type { Notebooks, PromptDocument } from './notebooks';
import { canBePrompt, type PromptDocuments } from './prompt-documents';

/** Context key for the manifest: whether a prompt is in front, or another text that can be edited; undefined without one. */
const frontKey = 'twoHeads.front';

/** What is in front: a text, or a notebook as a whole. */
export interface Front {
  readonly document: PromptDocument;
  /** The editor of a text; undefined for a notebook, which has one for each cell. */
  readonly editor: vscode.TextEditor | undefined;
}

/**
 * Tracks what is in front and whether it is a prompt: what commands act on, and what panel and status item show.
 *
 * Where the focus is in no editor of texts or notebooks, the one that had it last stays in front while it is visible.
 */
export class ActivePrompt extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  /** Fires when something else comes to the front, or becomes a prompt or ceases to be one. */
  readonly onDidChange = this.changed.event;
  private current: Front | undefined;
  private isPrompt = false;

  constructor(
    private readonly prompts: PromptDocuments,
    private readonly notebooks: Notebooks,
  ) {
    super();
    this.update();
    this.own(vscode.window.onDidChangeActiveTextEditor(() => this.update()));
    this.own(vscode.window.onDidChangeVisibleTextEditors(() => this.update()));
    this.own(vscode.window.onDidChangeActiveNotebookEditor(() => this.update()));
    this.own(vscode.window.onDidChangeVisibleNotebookEditors(() => this.update()));
    // A document whose language changes is opened anew.
    this.own(vscode.workspace.onDidOpenTextDocument((document) => document === this.current?.document && this.update()));
    this.own(prompts.onDidChange(() => this.update()));
  }

  /** What is in front, whatever it is. */
  get front(): Front | undefined {
    return this.current;
  }

  /** What is in front if it is a prompt. */
  get prompt(): Front | undefined {
    return this.isPrompt ? this.current : undefined;
  }

  private update(): void {
    const before = this.current;
    const front = this.find();
    const isPrompt = front !== undefined && this.prompts.isPrompt(front.document);
    if (front?.document !== before?.document || front?.editor !== before?.editor || isPrompt !== this.isPrompt) {
      this.current = front;
      this.isPrompt = isPrompt;
      const seen = front && canBePrompt(front.document) ? (isPrompt ? 'prompt' : 'text') : undefined;
      void vscode.commands.executeCommand('setContext', frontKey, seen);
      this.changed.fire();
    }
  }

  private find(): Front | undefined {
    const { activeTextEditor, activeNotebookEditor, visibleTextEditors, visibleNotebookEditors } = vscode.window;
    const before = this.current;
    // The editor of a cell is active together with that of its notebook.
    if (activeNotebookEditor !== undefined) {
      return { document: this.notebooks.textOf(activeNotebookEditor.notebook), editor: undefined };
    }
    const editor =
      activeTextEditor ??
      visibleTextEditors.find((visible) => visible === before?.editor) ??
      visibleTextEditors.find(({ document }) => document === before?.document);
    if (editor !== undefined) {
      return { document: editor.document, editor };
    }
    const isVisible = visibleNotebookEditors.some(({ notebook }) => this.notebooks.textOf(notebook) === before?.document);
    return isVisible ? before : undefined;
  }
}
