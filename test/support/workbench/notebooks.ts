import type * as vscode from 'vscode';
import { closeDocument, type FakeDocument, openDocument } from './documents';
import { focus } from './editors';
import { emitter, onReset } from './events';
import { NotebookCellKind, Uri } from './values';

/** What a cell of a notebook is made of. */
export interface CellParts {
  readonly kind: 'markup' | 'code';
  readonly text: string;
  readonly language: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** The items of each output: text by its type, or bytes. */
  readonly outputs?: readonly Readonly<Record<string, string | Uint8Array>>[];
}

type FakeCell = Pick<vscode.NotebookCell, 'kind' | 'metadata' | 'outputs'> & { readonly document: FakeDocument };

/** A notebook, as far as its cells and metadata. */
export class FakeNotebook {
  isClosed = false;
  private readonly cells: FakeCell[] = [];

  constructor(
    readonly uri: vscode.Uri,
    cells: readonly CellParts[],
    readonly metadata: Readonly<Record<string, unknown>>,
  ) {
    this.cells = cells.map((cell, index) => cellOf(uri, cell, index));
  }

  get cellCount(): number {
    return this.cells.length;
  }

  getCells(): FakeCell[] {
    return this.cells;
  }

  cellAt(index: number): FakeCell {
    return this.cells[index];
  }

  /** The user adds a cell to the end. */
  add(cell: CellParts): void {
    this.cells.push(cellOf(this.uri, cell, this.cells.length));
    changed.fire({ notebook: this });
  }
}

function cellOf(notebook: vscode.Uri, { kind, text, language, metadata = {}, outputs = [] }: CellParts, index: number): FakeCell {
  const uri = Uri.from({ scheme: 'vscode-notebook-cell', path: notebook.path, fragment: `W${index}` });
  return {
    kind: kind === 'markup' ? NotebookCellKind.Markup : NotebookCellKind.Code,
    document: openDocument(uri, text, language),
    metadata,
    outputs: outputs.map((items) => ({
      items: Object.entries(items).map(([mime, data]) => ({
        mime,
        data: typeof data === 'string' ? new TextEncoder().encode(data) : data,
      })),
    })),
  };
}

/** The editor of a notebook. */
interface FakeNotebookEditor {
  readonly notebook: FakeNotebook;
}

const changed = emitter<{ readonly notebook: FakeNotebook }>();
const closed = emitter<FakeNotebook>();
const activeChanged = emitter<FakeNotebookEditor | undefined>();
const visibleChanged = emitter<readonly FakeNotebookEditor[]>();
export const onDidChangeNotebookDocument = changed.event;
export const onDidCloseNotebookDocument = closed.event;
export const onDidChangeActiveNotebookEditor = activeChanged.event;
export const onDidChangeVisibleNotebookEditors = visibleChanged.event;

/** Open notebooks, their editors on screen, and that which has the focus. */
export const notebooks: {
  open: readonly FakeNotebook[];
  active: FakeNotebookEditor | undefined;
  visible: readonly FakeNotebookEditor[];
} = { open: [], active: undefined, visible: [] };
onReset(() => Object.assign(notebooks, { open: [], active: undefined, visible: [] }));

/** Opens a notebook in front of every text. */
export function showNotebook(path: string, cells: readonly CellParts[], metadata: Readonly<Record<string, unknown>> = {}): FakeNotebook {
  const notebook = new FakeNotebook(Uri.file(path), cells, metadata);
  const editor = { notebook };
  Object.assign(notebooks, { open: [...notebooks.open, notebook], visible: [editor], active: editor });
  focus(undefined);
  visibleChanged.fire(notebooks.visible);
  activeChanged.fire(editor);
  return notebook;
}

/** The focus goes from the notebook to what is no editor, or back. */
export function focusNotebook(hasFocus: boolean): void {
  notebooks.active = hasFocus ? notebooks.visible.at(0) : undefined;
  activeChanged.fire(notebooks.active);
}

/** Closes a notebook with its editor and its cells. */
export function closeNotebook(notebook: FakeNotebook): void {
  const isOther = (editor: FakeNotebookEditor): boolean => editor.notebook !== notebook;
  notebooks.open = notebooks.open.filter((open) => open !== notebook);
  notebooks.visible = notebooks.visible.filter(isOther);
  notebooks.active = notebooks.active && isOther(notebooks.active) ? notebooks.active : undefined;
  notebook.isClosed = true;
  activeChanged.fire(notebooks.active);
  visibleChanged.fire(notebooks.visible);
  notebook.getCells().forEach(({ document }) => closeDocument(document));
  closed.fire(notebook);
}
