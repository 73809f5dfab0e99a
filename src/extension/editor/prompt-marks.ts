import * as vscode from 'vscode';
import { Disposable } from '../disposable';
import type { PromptDocument } from '../prompts/notebooks';
import type { PromptPlans } from '../prompts/prompt-plans';
import { fewestHintedTokens, settingsSection } from '../settings';
import type { Planned } from './places';

/** Lines drawn above and below those on screen, so that scrolling a little finds them there. */
const marginLines = 60;

/** What an editor shows now, and of which lines. */
interface Drawn {
  readonly planned: Planned;
  readonly stale: boolean;
  readonly lines: readonly vscode.Range[];
}

/**
 * Decorations of the prompts on screen.
 *
 * They are drawn anew after each plan, and where an editor shows lines that were not drawn yet; between an edit and the next plan,
 * the editor itself moves them with the text.
 */
export abstract class PromptMarks extends Disposable {
  private readonly drawn = new Map<vscode.TextEditor, Drawn>();

  constructor(
    private readonly plans: PromptPlans,
    private readonly isOn: () => boolean,
  ) {
    super();
    const { window, workspace } = vscode;
    const ofDocument = (document: PromptDocument): void =>
      window.visibleTextEditors.filter((editor) => editor.document === document).forEach((editor) => this.update(editor));
    this.own(window.onDidChangeVisibleTextEditors(() => this.updateAll()));
    this.own(window.onDidChangeTextEditorVisibleRanges(({ textEditor }) => this.update(textEditor)));
    this.own(window.onDidChangeTextEditorViewColumn(({ textEditor }) => this.update(textEditor)));
    this.own(plans.onDidChange(ofDocument));
    this.own(plans.onDidTurnStale(ofDocument));
    this.own(workspace.onDidChangeConfiguration((event) => event.affectsConfiguration(settingsSection) && this.redraw()));
  }

  /** Draws the marks of an editor in place of those before. @param lines whole lines, in order and apart */
  protected abstract draw(editor: vscode.TextEditor, planned: Planned, lines: readonly vscode.Range[], stale: boolean): void;

  /** Takes all marks from an editor. */
  protected abstract clear(editor: vscode.TextEditor): void;

  /** The lines of an editor to draw: those on screen and some around them. */
  protected linesOf({ document, visibleRanges }: vscode.TextEditor): readonly vscode.Range[] {
    const lines: vscode.Range[] = [];
    for (const { start, end } of visibleRanges) {
      const last = lines.at(-1);
      const from = Math.max(0, start.line - marginLines);
      const wanted = new vscode.Range(from, 0, Math.min(document.lineCount - 1, end.line + marginLines), Number.MAX_SAFE_INTEGER);
      if (last !== undefined && from <= last.end.line) {
        lines[lines.length - 1] = last.union(wanted);
      } else {
        lines.push(wanted);
      }
    }
    return lines;
  }

  /** Draws the marks of every editor anew: for the first time, or since what they are made of changed. */
  protected redraw(): void {
    for (const editor of this.drawn.keys()) {
      this.clear(editor);
    }
    this.drawn.clear();
    this.updateAll();
  }

  private updateAll(): void {
    const { visibleTextEditors } = vscode.window;
    for (const editor of this.drawn.keys()) {
      if (!visibleTextEditors.includes(editor)) {
        this.drawn.delete(editor);
      }
    }
    visibleTextEditors.forEach((editor) => this.update(editor));
  }

  private update(editor: vscode.TextEditor): void {
    // Editors of a column of their own alone: not those of diffs, peeks or cells.
    const planned = this.isOn() && editor.viewColumn !== undefined ? this.plans.get(editor.document) : undefined;
    if (planned === undefined || planned.error !== null || planned.plan.tokens < fewestHintedTokens()) {
      if (this.drawn.delete(editor)) {
        this.clear(editor);
      }
      return;
    }
    const before = this.drawn.get(editor);
    const stale = this.plans.isStale(editor.document);
    const isThere = (lines: vscode.Range): boolean => before?.lines.some((range) => range.contains(lines)) === true;
    if (before?.planned !== planned || before.stale !== stale || !editor.visibleRanges.every(isThere)) {
      const lines = this.linesOf(editor);
      this.drawn.set(editor, { planned, stale, lines });
      this.draw(editor, planned, lines, stale);
    }
  }
}
