import * as vscode from 'vscode';
import { blockEnd, blockStart } from '../../core/plan/partition';
import type { PromptPlan } from '../prompts/prompt-plans';

/** A tile of the map; blocks are 0-based. */
export interface Tile {
  readonly queryBlock: number;
  readonly keyBlock: number;
}

/** Selects a tile's two token ranges in the editor: its queries first, then its keys. */
export async function selectTile(editor: vscode.TextEditor | undefined, planned: PromptPlan | undefined, tile: Tile): Promise<void> {
  if (editor === undefined || planned === undefined || planned.error !== null || planned.version !== editor.document.version) {
    return;
  }
  const { plan, tokenMap } = planned;
  if (tile.queryBlock >= plan.blocks || tile.keyBlock >= plan.blocks) {
    return;
  }
  // The cursor goes to the start: at the end it would stand in the next block.
  const selectionOf = (block: number): vscode.Selection =>
    new vscode.Selection(
      editor.document.positionAt(tokenMap.offsetOf(blockEnd(plan, block))),
      editor.document.positionAt(tokenMap.offsetOf(blockStart(plan, block))),
    );
  const queries = selectionOf(tile.queryBlock);
  // The keys of a sampled tile are scattered over the whole prompt: no range holds them.
  const scattered = plan.scenario.kind === 'average-case';
  const shown = await vscode.window.showTextDocument(editor.document, { viewColumn: editor.viewColumn ?? vscode.ViewColumn.Active });
  shown.selections = scattered || tile.keyBlock === tile.queryBlock ? [queries] : [queries, selectionOf(tile.keyBlock)];
  shown.revealRange(queries, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}
