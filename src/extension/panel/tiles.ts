import * as vscode from 'vscode';
import { blockEnd, blockStart } from '../../core/plan/partition';
import { queryBlockAt } from '../../core/plan/query-blocks';
import { excerptOf } from '../../core/text/printable';
import type { EditorPlace } from '../../protocol/panel';
import { Disposable } from '../disposable';
import type { PromptDocument } from '../prompts/notebooks';
import type { PromptPlan } from '../prompts/prompt-plans';

/** A tile of the map; blocks are 0-based. */
interface Tile {
  readonly queryBlock: number;
  readonly keyBlock: number;
}

/** The prompt in front, and its plan. */
export interface PlannedFront extends PlannedEditor {
  readonly document: PromptDocument | undefined;
}

/** The editor of a prompt and the prompt's plan, if there are any. A notebook has no editor of its text. */
interface PlannedEditor {
  readonly editor: vscode.TextEditor | undefined;
  readonly planned: PromptPlan | undefined;
}

/** Selects a tile's two token ranges in the editor: its queries first, then its keys. */
export async function selectTile(source: PlannedEditor, tile: Tile): Promise<void> {
  const ranges = rangesOf(source, tile);
  if (ranges === undefined) {
    return;
  }
  const { editor, queries, keys } = ranges;
  const { document, viewColumn } = editor;
  // The cursor goes to the start: at the end it would be in the next block.
  const selectionOf = ({ from, to }: Offsets): vscode.Selection => new vscode.Selection(document.positionAt(to), document.positionAt(from));
  const shown = await vscode.window.showTextDocument(document, { viewColumn: viewColumn ?? vscode.ViewColumn.Active });
  shown.selections =
    keys === null || tile.keyBlock === tile.queryBlock ? [selectionOf(queries)] : [selectionOf(queries), selectionOf(keys)];
  shown.revealRange(selectionOf(queries), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

/** Excerpts of a tile's queries and keys; undefined if the plan is outdated. */
export function readTile(source: PlannedEditor, tile: Tile): { readonly queries: string; readonly keys: string | null } | undefined {
  const ranges = rangesOf(source, tile);
  if (ranges === undefined) {
    return undefined;
  }
  const {
    editor: { document },
    queries,
    keys,
  } = ranges;
  const read = (from: number, to: number): string => document.getText(new vscode.Range(document.positionAt(from), document.positionAt(to)));
  return { queries: excerptOf(read, queries.from, queries.to), keys: keys && excerptOf(read, keys.from, keys.to) };
}

interface Offsets {
  readonly from: number;
  readonly to: number;
}

function rangesOf(
  { editor, planned }: PlannedEditor,
  { queryBlock, keyBlock }: Tile,
): { readonly editor: vscode.TextEditor; readonly queries: Offsets; readonly keys: Offsets | null } | undefined {
  if (editor === undefined || planned === undefined || planned.error !== null || planned.version !== editor.document.version) {
    return undefined;
  }
  const { plan, places } = planned;
  if (queryBlock >= plan.blocks || keyBlock >= plan.blocks) {
    return undefined;
  }
  const offsetsOf = (block: number): Offsets => ({
    from: places.offsetOf(blockStart(plan, block)),
    to: places.offsetOf(blockEnd(plan, block)),
  });
  // The keys of a sampled tile are scattered over the whole prompt, so no range contains them.
  const run = queryBlockAt(plan.queryBlocks, queryBlock).runs.find(({ from, to }) => from <= keyBlock && keyBlock < to);
  return { editor, queries: offsetsOf(queryBlock), keys: run?.kind === 'sampled' ? null : offsetsOf(keyBlock) };
}

/** Interval that collects moves into one, in milliseconds: scrolling fires at every frame. */
const gatherMs = 50;

/** The 0-based blocks of the cursor and of the visible text; none if the plan is outdated. */
export function editorPlace({ editor, planned }: PlannedEditor): EditorPlace {
  if (editor === undefined || planned === undefined || planned.error !== null || planned.version !== editor.document.version) {
    return { cursor: null, visible: null };
  }
  const { plan, places } = planned;
  const blockOf = (position: vscode.Position): number => Math.floor(places.tokenAt(editor.document.offsetAt(position)) / plan.blockSize);
  // Folded text lies between the visible ranges; it counts as visible.
  const first = editor.visibleRanges.at(0);
  const last = editor.visibleRanges.at(-1);
  return {
    cursor: blockOf(editor.selection.active),
    visible: first === undefined || last === undefined ? null : { from: blockOf(first.start), to: blockOf(last.end) + 1 },
  };
}

/** Reports when the position in an editor may have changed: after cursor moves and while scrolling. */
export class PlaceWatcher extends Disposable {
  private timer: NodeJS.Timeout | undefined;

  /** @param onMove called at most once per interval */
  constructor(isWatched: (editor: vscode.TextEditor) => boolean, onMove: () => void) {
    super();
    const moved = ({ textEditor }: { readonly textEditor: vscode.TextEditor }): void => {
      if (isWatched(textEditor)) {
        this.timer ??= setTimeout(() => {
          this.timer = undefined;
          onMove();
        }, gatherMs);
      }
    };
    this.own(vscode.window.onDidChangeTextEditorSelection(moved));
    this.own(vscode.window.onDidChangeTextEditorVisibleRanges(moved));
    this.own({ dispose: () => clearTimeout(this.timer) });
  }
}
