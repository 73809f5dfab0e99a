import * as vscode from 'vscode';
import { markStale, staleNote } from '../../core/hints/staleness';

/** An inlay hint with its arithmetic. The space behind its label takes the mark of stale figures, so that the line keeps its width. */
export function hintOf(position: vscode.Position, label: string, arithmetic: string, stale: boolean): vscode.InlayHint {
  const hint = new vscode.InlayHint(position, markStale(label, stale, '\u00a0'));
  hint.paddingLeft = true;
  hint.tooltip = new vscode.MarkdownString(stale ? `*${staleNote}*\n\n${arithmetic}` : arithmetic);
  return hint;
}
