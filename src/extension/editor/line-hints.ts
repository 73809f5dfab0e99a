import * as vscode from 'vscode';
import { blocksArithmetic, blocksLabel, markStale } from '../../core/hints/hints';
import { sectionArithmetic, sectionLabel } from '../../core/hints/sections';
import type { TextRange } from '../../core/text/edits';
import type { PromptPlans } from '../prompts/prompt-plans';
import { fewestHintedTokens, headingHintsEnabled, hintPlacement } from '../settings';
import { hintHover } from './hover-text';
import { blocksBeginningIn, mostHints, type Planned, sectionCost, sectionsBeginningIn } from './places';
import { PromptMarks } from './prompt-marks';

/**
 * Keeps the repeated headings of sticky scroll free: only there is this variable set, and the width then comes out as 0. VS Code
 * draws the decorations of a line with it, and asks nobody.
 */
const notInStickyScroll =
  'display: inline-block; overflow: hidden; vertical-align: bottom; ' +
  'max-width: calc(var(--vscode-editorStickyScroll-scrollableWidth, 9999px) - var(--vscode-editorStickyScroll-scrollableWidth, 0px))';

/** Between hints of one line; other spaces would become one. */
const gap = '\u00a0'.repeat(3);

/** What a line's hint says, and the arithmetic behind it. */
interface LineHint {
  readonly label: string;
  readonly arithmetic: readonly string[];
}

/** Hints at the end of the lines on which blocks and sections begin: the text keeps its place, its breaks and its columns. */
export class LineHints extends PromptMarks {
  private readonly type = this.own(
    vscode.window.createTextEditorDecorationType({
      after: {
        color: new vscode.ThemeColor('twoHeads.hintForeground'),
        margin: '0 0 0 2ch',
        fontStyle: 'normal',
        fontWeight: 'normal',
        // No property of its own lets a decoration say more; what follows the semicolon goes into the same rule.
        textDecoration: `none; ${notInStickyScroll}`,
      },
    }),
  );

  constructor(plans: PromptPlans) {
    super(plans, () => hintPlacement() === 'endOfLine');
    this.redraw();
  }

  protected draw(editor: vscode.TextEditor, planned: Planned, lines: readonly vscode.Range[], stale: boolean): void {
    const options: vscode.DecorationOptions[] = [];
    for (const { line, range } of documentLines(editor.document, lines)) {
      const hint = hintOn(planned, range);
      if (hint !== undefined) {
        options.push({
          range: line.range.with(line.range.end),
          hoverMessage: hintHover(hint.arithmetic, stale),
          renderOptions: { after: { contentText: markStale(hint.label, stale) } },
        });
      }
      if (options.length === mostHints) {
        break;
      }
    }
    editor.setDecorations(this.type, options);
  }

  protected clear(editor: vscode.TextEditor): void {
    editor.setDecorations(this.type, []);
  }
}

/** Lines of a document with their offsets, the end of each included. */
export function* documentLines(
  document: vscode.TextDocument,
  lines: readonly vscode.Range[],
): Iterable<{ readonly line: vscode.TextLine; readonly range: TextRange }> {
  for (const { start, end } of lines) {
    for (let number = start.line; number <= Math.min(end.line, document.lineCount - 1); number += 1) {
      const line = document.lineAt(number);
      const next = line.rangeIncludingLineBreak.end;
      const to = document.offsetAt(next) - Number(next.line > number);
      yield { line, range: { from: document.offsetAt(line.range.start), to } };
    }
  }
}

function hintOn(planned: Planned, range: TextRange): LineHint | undefined {
  const parts = [...sectionPart(planned, range), ...blockPart(planned, range)];
  return parts.length === 0
    ? undefined
    : { label: parts.map(({ label }) => label).join(gap), arithmetic: parts.flatMap(({ arithmetic }) => arithmetic) };
}

function blockPart(planned: Planned, range: TextRange): LineHint[] {
  const blocks = blocksBeginningIn(planned, range);
  if (blocks === undefined) {
    return [];
  }
  const { plan, prediction } = planned;
  const { first, last } = blocks;
  return [{ label: blocksLabel(plan, first, last, prediction), arithmetic: [blocksArithmetic(plan, first, last)] }];
}

/** A heading's section, or all messages that begin on a line. */
function sectionPart(planned: Planned, range: TextRange): LineHint[] {
  const { from, to } = sectionsBeginningIn(planned, range);
  if (!headingHintsEnabled() || from >= to) {
    return [];
  }
  const { sections, plan, prediction } = planned;
  const cost = sectionCost(planned, { from: sections.from[from], end: sections.end[to - 1] });
  return cost.endToken - cost.firstToken < fewestHintedTokens()
    ? []
    : [{ label: sectionLabel(cost, prediction), arithmetic: [sectionArithmetic(plan, cost)] }];
}
