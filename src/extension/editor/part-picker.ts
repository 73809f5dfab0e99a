import * as vscode from 'vscode';
import { formatCount } from '../../core/format';
import { blockLabel } from '../../core/hints/hints';
import { firstWords, mostExpensiveBlocks, sectionLabel } from '../../core/hints/sections';
import { t } from '../../core/l10n';
import type { Section } from '../../core/text/headings';
import type { PromptPlans } from '../prompts/prompt-plans';
import { type Planned, sectionCost } from './places';

/** An entry of a quick pick: a part of a prompt, or a separator, which has no range. */
interface PartItem extends vscode.QuickPickItem {
  readonly range?: vscode.Range;
}

/** Most entries of one kind: users read no further, and the editor is slow with thousands. */
const largestList = 50;
/** Characters shown of a part's beginning. */
const wordsLength = 100;

/** The most expensive blocks of a prompt, and its sections if it is Markdown with headings. */
function partItems(document: vscode.TextDocument, planned: Planned, largest: readonly Section[]): PartItem[] {
  const blocks = blockItems(document, planned);
  const sections = sectionItems(document, planned, largest);
  return sections.length === 0 ? blocks : [separator(t('blocks')), ...blocks, separator(t('sections')), ...sections];
}

function blockItems(document: vscode.TextDocument, { plan, prediction, places }: Planned): PartItem[] {
  return mostExpensiveBlocks(plan, largestList).map((cost) => {
    const from = places.offsetOf(cost.firstToken);
    const to = places.offsetOf(cost.endToken);
    const range = new vscode.Range(document.positionAt(from), document.positionAt(to));
    return { label: blockLabel(cost, prediction), description: lineOf(range), detail: shown(wordsOf(document, range)), range };
  });
}

function sectionItems(document: vscode.TextDocument, planned: Planned, largest: readonly Section[]): PartItem[] {
  return largest.map((section) => {
    const { title, from, to, end } = section;
    const range = new vscode.Range(document.positionAt(from), document.positionAt(end));
    const description = `${sectionLabel(sectionCost(planned, section), planned.prediction)} · ${lineOf(range)}`;
    return {
      label: title === '' ? t('Untitled section') : shown(title),
      description,
      detail: shown(wordsOf(document, new vscode.Range(document.positionAt(to), range.end))),
      range,
    };
  });
}

function separator(label: string): PartItem {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}

function lineOf({ start }: vscode.Range): string {
  return t('line {0}', formatCount(start.line + 1));
}

/** The beginning of a range's text: a block of a long line can be as long as the prompt. */
function wordsOf(document: vscode.TextDocument, { start, end }: vscode.Range): string {
  const first = new vscode.Range(start, document.positionAt(Math.min(document.offsetAt(start) + 10 * wordsLength, document.offsetAt(end))));
  return document.getText(first);
}

/** The first words of a text, with icon syntax escaped. */
function shown(text: string): string {
  return withoutIcons(firstWords(text, wordsLength));
}

/** A text of which a quick pick takes nothing for an icon. */
export function withoutIcons(text: string): string {
  return text.replaceAll(/\$\([A-Za-z0-9-]+(?:~[A-Za-z]+)?\)/g, '\\$&');
}

/**
 * Lets the user choose one of the most expensive parts of a prompt, and goes to its start. The editor previews the focused
 * part and is restored if the user cancels.
 */
export async function goToExpensivePart(editor: vscode.TextEditor, planned: Planned, plans: PromptPlans): Promise<void> {
  const { document, selection } = editor;
  const largest = await plans.sections(document, largestList);
  if (document.version !== planned.version) {
    return;
  }
  const shownBefore = editor.visibleRanges.at(0);
  const highlight = vscode.window.createTextEditorDecorationType({
    backgroundColor: new vscode.ThemeColor('editor.rangeHighlightBackground'),
  });
  const pick = vscode.window.createQuickPick<PartItem>();
  pick.title = t('Most Expensive Blocks');
  pick.placeholder = t('Parts of the prompt, largest share of attention first');
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  pick.items = partItems(document, planned, largest);
  pick.onDidChangeActive((items) => {
    const range = items.at(0)?.range;
    editor.setDecorations(highlight, range === undefined ? [] : [range]);
    if (range !== undefined) {
      editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    }
  });
  // The ranges refer to the text before these edits.
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
    // Above the first line is the lens, which stays hidden where that line itself is put at the top.
    const place = shownBefore.start.line === 0 ? vscode.TextEditorRevealType.InCenter : vscode.TextEditorRevealType.AtTop;
    editor.revealRange(new vscode.Range(shownBefore.start, shownBefore.start), place);
  }
}
