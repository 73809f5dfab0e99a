import * as vscode from 'vscode';
import { t } from '../core/l10n';
import type { Planned } from './editor/places';
import { partItems, type PartItem } from './editor/part-picker';

/**
 * Asks for one of the most expensive parts of a prompt, and goes to its start. The part in focus is shown in the editor;
 * without an answer the editor is left as it was.
 */
export async function goToExpensivePart(editor: vscode.TextEditor, planned: Planned): Promise<void> {
  const { document, selection } = editor;
  const shownBefore = editor.visibleRanges.at(0);
  const highlight = vscode.window.createTextEditorDecorationType({
    backgroundColor: new vscode.ThemeColor('editor.rangeHighlightBackground'),
  });
  const pick = vscode.window.createQuickPick<PartItem>();
  pick.title = t('Most Expensive Blocks');
  pick.placeholder = t('Where the attention goes, the largest share first');
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  pick.items = partItems(document, planned);
  pick.onDidChangeActive((items) => {
    const range = items.at(0)?.range;
    editor.setDecorations(highlight, range === undefined ? [] : [range]);
    if (range !== undefined) {
      editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    }
  });
  // The ranges are of the text as it was.
  const edits = vscode.workspace.onDidChangeTextDocument((event) => event.document === document && pick.hide());
  const chosen = await new Promise<vscode.Range | undefined>((resolve) => {
    pick.onDidAccept(() => resolve(pick.activeItems.at(0)?.range));
    pick.onDidHide(() => resolve(undefined));
    pick.show();
  });
  vscode.Disposable.from(pick, highlight, edits).dispose();
  if (chosen !== undefined) {
    const start = new vscode.Range(chosen.start, chosen.start);
    const shown = await vscode.window.showTextDocument(document, {
      viewColumn: editor.viewColumn ?? vscode.ViewColumn.Active,
      selection: start,
    });
    shown.revealRange(chosen, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  } else if (shownBefore !== undefined && editor.selection.isEqual(selection)) {
    editor.revealRange(new vscode.Range(shownBefore.start, shownBefore.start), vscode.TextEditorRevealType.AtTop);
  }
}
