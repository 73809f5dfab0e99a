import * as vscode from 'vscode';
import { Disposable } from '../disposable';
import type { Notebooks, PromptDocument } from './notebooks';
import { canBePrompt, type PromptDocuments } from './prompt-documents';

/** Context key for the manifest: whether a `prompt` is in front, or another `text` that can be edited, or `none`. */
const frontKey = 'twoHeads.front';

/** Context key for the manifest: the paths of the prompts on screen, for menus of editors that are not in front. Addresses of one file differ between an editor and a remote machine. */
const promptsKey = 'twoHeads.prompts';

/** How long a file that is opened may take to come to the front, in milliseconds. */
const longestWaitMs = 5000;

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
  private paths = '';

  constructor(
    private readonly prompts: PromptDocuments,
    private readonly notebooks: Notebooks,
  ) {
    super();
    this.tellFront();
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

  /**
   * Brings the file at an address to the front.
   *
   * @param on what a menu gives: an address, or anything else, which changes nothing
   * @returns what is in front then; undefined also where it is another file, since the user meant this one
   */
  async bring(on: unknown): Promise<Front | undefined> {
    const isThere = (): boolean => !(on instanceof vscode.Uri) || this.current?.document.uri.toString() === on.toString();
    if (!isThere()) {
      await vscode.commands.executeCommand('vscode.open', on);
      await new Promise<void>((resolve) => {
        const settle = (): void => {
          clearTimeout(limit);
          listener.dispose();
          resolve();
        };
        const limit = setTimeout(settle, longestWaitMs);
        const listener = this.onDidChange(() => isThere() && settle());
        if (isThere()) {
          settle();
        }
      });
    }
    return isThere() ? this.current : undefined;
  }

  private update(): void {
    this.tellPrompts();
    const before = this.current;
    const front = this.find();
    const isPrompt = front !== undefined && this.prompts.isPrompt(front.document);
    if (front?.document !== before?.document || front?.editor !== before?.editor || isPrompt !== this.isPrompt) {
      this.current = front;
      this.isPrompt = isPrompt;
      this.tellFront();
      this.changed.fire();
    }
  }

  private tellFront(): void {
    const { current, isPrompt } = this;
    const seen = current !== undefined && canBePrompt(current.document) ? (isPrompt ? 'prompt' : 'text') : 'none';
    void vscode.commands.executeCommand('setContext', frontKey, seen);
  }

  private tellPrompts(): void {
    const { visibleTextEditors, visibleNotebookEditors } = vscode.window;
    const shown = [
      ...visibleTextEditors.map(({ document }) => document),
      ...visibleNotebookEditors.map(({ notebook }) => this.notebooks.textOf(notebook)),
    ];
    const prompts = shown.filter((document) => this.prompts.isPrompt(document));
    const paths = [...new Set(prompts.map(({ uri }) => (uri.scheme === 'file' ? uri.fsPath : uri.path)))];
    if (paths.join('\n') !== this.paths) {
      this.paths = paths.join('\n');
      void vscode.commands.executeCommand('setContext', promptsKey, paths);
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
