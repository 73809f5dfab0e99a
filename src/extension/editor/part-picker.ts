import * as vscode from 'vscode';
import { formatCount } from '../../core/format';
import { firstWords, mostExpensive, mostExpensiveBlocks } from '../../core/hints/expensive';
import { blockLabel } from '../../core/hints/hints';
import { sectionLabel } from '../../core/hints/section-hints';
import { t } from '../../core/l10n';
import { markdown } from './heading-hints';
import { sectionCost, type Planned } from './places';

/** An entry of a quick pick: a part of a prompt, or a separator, which has no range. */
export interface PartItem extends vscode.QuickPickItem {
  readonly range?: vscode.Range;
}

/** Entries of a kind: nobody reads on, and an editor is slow to take thousands. */
const largestList = 50;
/** Characters of what a part begins with. */
const wordsLength = 100;

/** The blocks of a prompt that cost most and, where it is Markdown with headings, the sections. */
export function partItems(document: vscode.TextDocument, planned: Planned): PartItem[] {
  const blocks = blockItems(document, planned);
  const sections = document.languageId === markdown ? sectionItems(document, planned) : [];
  return sections.length === 0 ? blocks : [separator(t('blocks')), ...blocks, separator(t('sections')), ...sections];
}

function blockItems(document: vscode.TextDocument, { plan, prediction, tokenMap, text }: Planned): PartItem[] {
  return mostExpensiveBlocks(plan, largestList).map((cost) => {
    const from = tokenMap.offsetOf(cost.firstToken);
    const to = tokenMap.offsetOf(cost.endToken);
    const range = new vscode.Range(document.positionAt(from), document.positionAt(to));
    return { label: blockLabel(cost, prediction), description: lineOf(range), detail: shown(text.slice(from, to)), range };
  });
}

function sectionItems(document: vscode.TextDocument, planned: Planned): PartItem[] {
  const sections = planned.sections().map((section) => ({ section, cost: sectionCost(planned, section) }));
  return mostExpensive(sections, ({ cost }) => cost.share, largestList).map(({ section: { title, from, to, end }, cost }) => {
    const range = new vscode.Range(document.positionAt(from), document.positionAt(end));
    const description = `${sectionLabel(cost, planned.prediction)} · ${lineOf(range)}`;
    return { label: title === '' ? t('Untitled section') : shown(title), description, detail: shown(planned.text.slice(to, end)), range };
  });
}

function separator(label: string): PartItem {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}

function lineOf({ start }: vscode.Range): string {
  return t('line {0}', formatCount(start.line + 1));
}

/** The first words of a text, in which nothing is taken for an icon. */
function shown(text: string): string {
  return firstWords(text, wordsLength).replaceAll(/\$\([A-Za-z0-9-]+(?:~[A-Za-z]+)?\)/g, '\\$&');
}
