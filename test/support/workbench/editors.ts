import type * as vscode from 'vscode';
import { closeDocument, type FakeDocument, textDocuments } from './documents';
import { emitter, onReset } from './events';
import { Range, Selection } from './places';
import { TabInputText, TabInputTextDiff, ViewColumn } from './values';

/** An editor: a document in a column. */
export class FakeEditor {
  private chosen: readonly vscode.Selection[] = [new Selection(0, 0, 0, 0)];
  visibleRanges: readonly vscode.Range[];
  readonly options = {};
  /** What each decoration covers, and says. */
  readonly decorations = new Map<unknown, readonly (vscode.Range | vscode.DecorationOptions)[]>();
  readonly revealed: { readonly range: vscode.Range; readonly how: number | undefined }[] = [];

  constructor(
    readonly document: FakeDocument,
    /** Undefined in diffs, peeks and cells. */
    public viewColumn: number | undefined,
  ) {
    this.visibleRanges = [new Range(document.positionAt(0), document.positionAt(document.getText().length))];
  }

  get selection(): vscode.Selection {
    return this.chosen[0];
  }

  set selection(selection: vscode.Selection) {
    this.selections = [selection];
  }

  get selections(): readonly vscode.Selection[] {
    return this.chosen;
  }

  /** The event comes later, as it does from an editor. */
  set selections(selections: readonly vscode.Selection[]) {
    this.chosen = selections;
    queueMicrotask(() => selectionChanged.fire({ textEditor: this }));
  }

  setDecorations(type: unknown, ranges: readonly (vscode.Range | vscode.DecorationOptions)[]): void {
    this.decorations.set(type, ranges);
  }

  revealRange(range: vscode.Range, how?: number): void {
    this.revealed.push({ range, how });
  }
}

/** What fires where an editor has moved. */
interface Moved {
  readonly textEditor: FakeEditor;
}

const selectionChanged = emitter<Moved>();
const scrolled = emitter<Moved>();
const columnChanged = emitter<Moved>();
const activeChanged = emitter<FakeEditor | undefined>();
const visibleChanged = emitter<readonly FakeEditor[]>();
export const onDidChangeTextEditorSelection = selectionChanged.event;
export const onDidChangeTextEditorVisibleRanges = scrolled.event;
export const onDidChangeTextEditorViewColumn = columnChanged.event;
export const onDidChangeActiveTextEditor = activeChanged.event;
export const onDidChangeVisibleTextEditors = visibleChanged.event;

/** The editors on screen, and the one that has the focus. */
export const editors: { active: FakeEditor | undefined; visible: readonly FakeEditor[] } = { active: undefined, visible: [] };
const tabsChanged = emitter<unknown>();
/** Diffs on screen, each in a column of its own. */
const diffs: TabInputTextDiff[] = [];

/** The tabs that are on screen: one of each editor, and one of each diff. */
export const tabGroups = {
  get all(): readonly { readonly activeTab: { readonly input: unknown }; readonly tabs: readonly { readonly input: unknown }[] }[] {
    const texts = editors.visible.map(({ document }) => new TabInputText(document.uri));
    return [...texts, ...diffs].map((input) => ({ activeTab: { input }, tabs: [{ input }] }));
  },
  onDidChangeTabs: tabsChanged.event,
  onDidChangeTabGroups: emitter<unknown>().event,
};

/** Shows a diff, or none. */
export function showDiffs(...shown: readonly TabInputTextDiff[]): void {
  diffs.splice(0, diffs.length, ...shown);
  tabsChanged.fire(undefined);
}

/** Shows two documents as the halves of a diff, which are editors without a column. */
export function showDiff(original: FakeDocument, modified: FakeDocument): void {
  editors.visible = [...editors.visible, new FakeEditor(original, undefined), new FakeEditor(modified, undefined)];
  visibleChanged.fire(editors.visible);
  showDiffs(new TabInputTextDiff(original.uri, modified.uri));
}

/** Decoration types that are in force. */
export const decorationTypes = new Set<unknown>();
onReset(() => {
  Object.assign(editors, { active: undefined, visible: [] });
  decorationTypes.clear();
  diffs.length = 0;
});

/** Decorations go from every editor with their type. */
export function createTextEditorDecorationType(options: unknown): { readonly options: unknown; dispose(): void } {
  const type = {
    options,
    dispose: (): void => {
      decorationTypes.delete(type);
      editors.visible.forEach(({ decorations }) => decorations.delete(type));
    },
  };
  decorationTypes.add(type);
  return type;
}

/** Where a document is to be shown. */
interface ShowOptions {
  readonly viewColumn?: number | undefined;
  readonly selection?: vscode.Range;
  readonly preserveFocus?: boolean;
}

/** Shows a document: in the editor that has it, or in place of what its column shows. */
export function show(
  document: FakeDocument,
  { viewColumn = ViewColumn.Active, selection, preserveFocus = false }: ShowOptions = {},
): FakeEditor {
  const activeColumn: number = editors.active?.viewColumn ?? ViewColumn.One;
  const column = viewColumn === ViewColumn.Active ? activeColumn : viewColumn === ViewColumn.Beside ? activeColumn + 1 : viewColumn;
  const there = editors.visible.find((editor) => editor.viewColumn === column);
  const editor = there?.document === document ? there : new FakeEditor(document, column);
  if (selection !== undefined) {
    editor.selection = new Selection(selection.start, selection.end);
  }
  if (editor !== there) {
    editors.visible = [...editors.visible.filter((other) => other !== there), editor];
    visibleChanged.fire(editors.visible);
    tabsChanged.fire(undefined);
  }
  if (!preserveFocus) {
    focus(editor);
  }
  return editor;
}

/** The focus goes to an editor, or to what is none. */
export function focus(editor: FakeEditor | undefined): void {
  if (editors.active !== editor) {
    editors.active = editor;
    activeChanged.fire(editor);
  }
}

/** Closes an editor, and its document with it. */
export function closeEditor(editor: FakeEditor): void {
  editors.visible = editors.visible.filter((other) => other !== editor);
  if (editors.active === editor) {
    focus(editors.visible.at(-1));
  }
  visibleChanged.fire(editors.visible);
  tabsChanged.fire(undefined);
  if (textDocuments.includes(editor.document) && editors.visible.every(({ document }) => document !== editor.document)) {
    closeDocument(editor.document);
  }
}

/** What an editor says at the ends of its lines, by line. */
export function lineHints(editor: FakeEditor): ReadonlyMap<number, { readonly label: string; readonly hover: string }> {
  const options = [...editor.decorations.values()].flat().filter((each): each is vscode.DecorationOptions => 'renderOptions' in each);
  return new Map(
    options.map(({ range, renderOptions, hoverMessage }) => [
      range.end.line,
      {
        label: renderOptions?.after?.contentText?.replaceAll('\u00a0', ' ') ?? '',
        hover: (hoverMessage as vscode.MarkdownString[]).map(({ value }) => value).join('\n\n'),
      },
    ]),
  );
}

/** Puts an editor into a diff, or back into a column. */
export function setColumn(editor: FakeEditor, column: number | undefined): void {
  editor.viewColumn = column;
  columnChanged.fire({ textEditor: editor });
}

/** Scrolls to a range. */
export function scroll(editor: FakeEditor, ...ranges: readonly vscode.Range[]): void {
  editor.visibleRanges = ranges;
  scrolled.fire({ textEditor: editor });
}

/** The user selects a range. */
export function select(editor: FakeEditor, ...ranges: readonly vscode.Range[]): void {
  editor.selections = ranges.map(({ start, end }) => new Selection(start, end));
}
