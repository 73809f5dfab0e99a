import * as vscode from 'vscode';
import type { EditorPlace } from '../../protocol/panel';
import { Disposable } from '../disposable';
import type { PlannedEditor } from './tiles';

/** Time in which moves gather into one, in milliseconds: scrolling fires at every frame. */
const gatherMs = 50;

/** The 0-based blocks that hold the cursor and what is on screen; none where the plan is not one of the text as it is now. */
export function editorPlace({ editor, planned }: PlannedEditor): EditorPlace {
  if (editor === undefined || planned === undefined || planned.error !== null || planned.version !== editor.document.version) {
    return { cursor: null, visible: null };
  }
  const { plan, tokenMap } = planned;
  const blockOf = (position: vscode.Position): number => Math.floor(tokenMap.tokenAt(editor.document.offsetAt(position)) / plan.blockSize);
  // Folded text lies between the ranges: it counts as seen.
  const first = editor.visibleRanges.at(0);
  const last = editor.visibleRanges.at(-1);
  return {
    cursor: blockOf(editor.selection.active),
    visible: first === undefined || last === undefined ? null : { from: blockOf(first.start), to: blockOf(last.end) + 1 },
  };
}

/** Says when the place in an editor may have changed: after a move of its cursor, and while it scrolls. */
export class PlaceWatcher extends Disposable {
  private timer: NodeJS.Timeout | undefined;

  /** @param onMove called at most once in a short while */
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
