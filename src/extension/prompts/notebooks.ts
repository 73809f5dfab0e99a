import * as vscode from 'vscode';
import { Disposable } from '../disposable';
import { notebookJson, type WrittenCells } from './notebook-json';

/** What can be a prompt: a text, or a notebook as a whole. */
export type PromptDocument = vscode.TextDocument | NotebookText;

/** A notebook as its editor has it now, as the text of a Jupyter notebook: what is saved may be older. */
export class NotebookText {
  readonly languageId = 'jupyter-notebook';
  readonly eol = vscode.EndOfLine.LF;
  /** Rises with every change. VS Code's own number may come before the text of the cells. */
  version = 1;
  private written: string | undefined;
  private readonly cells: WrittenCells = new WeakMap();

  constructor(readonly notebook: vscode.NotebookDocument) {}

  get uri(): vscode.Uri {
    return this.notebook.uri;
  }

  get isClosed(): boolean {
    return this.notebook.isClosed;
  }

  getText(): string {
    this.written ??= notebookJson(this.notebook, this.cells);
    return this.written;
  }

  /** The notebook is not what it was. */
  changed(): void {
    this.version += 1;
    this.written = undefined;
  }
}

/** The texts of open notebooks: one for each, which follows its changes. */
export class Notebooks extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<NotebookText>());
  /** Fires when a cell, its output or its text changes. */
  readonly onDidChange = this.changed.event;
  private readonly closed = this.own(new vscode.EventEmitter<NotebookText>());
  readonly onDidClose = this.closed.event;
  private readonly texts = new Map<vscode.NotebookDocument, NotebookText>();

  constructor() {
    super();
    this.own(vscode.workspace.onDidChangeNotebookDocument(({ notebook }) => this.turned(this.texts.get(notebook))));
    this.own(vscode.workspace.onDidChangeTextDocument(({ document }) => this.cellChanged(document)));
    this.own(
      vscode.workspace.onDidCloseNotebookDocument((notebook) => {
        const text = this.texts.get(notebook);
        if (text !== undefined) {
          this.texts.delete(notebook);
          this.closed.fire(text);
        }
      }),
    );
  }

  textOf(notebook: vscode.NotebookDocument): NotebookText {
    const text = this.texts.get(notebook) ?? new NotebookText(notebook);
    if (!notebook.isClosed) {
      this.texts.set(notebook, text);
    }
    return text;
  }

  /** The notebook that a document is a cell of. */
  ofCell(document: vscode.TextDocument): NotebookText | undefined {
    const notebook = vscode.workspace.notebookDocuments.find((open) => open.getCells().some((cell) => cell.document === document));
    return notebook && this.textOf(notebook);
  }

  private cellChanged(document: vscode.TextDocument): void {
    // Typing in other documents costs no search.
    if (document.uri.scheme === cellScheme) {
      this.turned(this.ofCell(document));
    }
  }

  private turned(text: NotebookText | undefined): void {
    if (text !== undefined) {
      text.changed();
      this.changed.fire(text);
    }
  }
}

/** The scheme of a cell's document. */
export const cellScheme = 'vscode-notebook-cell';
