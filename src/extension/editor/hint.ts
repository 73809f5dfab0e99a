import * as vscode from 'vscode';
import { markStale, staleNote } from '../../core/hints/staleness';

/** A hint to be: where it stands, what it says, and the arithmetic behind it as Markdown. */
export interface PlacedLabel {
  readonly position: vscode.Position;
  readonly label: string;
  readonly arithmetic: string;
}

/** The inlay hint of a label. The space behind it takes the mark of stale figures, so that the line keeps its width. */
export function hintOf({ position, label, arithmetic }: PlacedLabel, stale: boolean): vscode.InlayHint {
  const hint = new vscode.InlayHint(position, markStale(label, stale, '\u00a0'));
  hint.paddingLeft = true;
  hint.tooltip = noted(arithmetic, stale);
  return hint;
}

/** Arithmetic as a tooltip, which says so where its figures are stale. */
export function noted(arithmetic: string, stale: boolean): vscode.MarkdownString {
  return new vscode.MarkdownString(stale ? `*${staleNote()}*\n\n${arithmetic}` : arithmetic);
}
