import { posix } from 'node:path';
import * as vscode from 'vscode';
import { formatShare } from '../../core/format';
import { expectedDuration, predictionNotes } from '../../core/hints/expected';
import { markStale, planArithmetic, planStatus, selectionStatus } from '../../core/hints/hints';
import { t } from '../../core/l10n';
import { contextNote } from '../../core/plan/context-length';
import { rangeBefore } from '../../core/text/edits';
import { Disposable } from '../disposable';
import type { ActivePrompt } from '../prompts/active-prompt';
import type { PromptPlans } from '../prompts/prompt-plans';
import type { SingleTask } from '../tasks/single-task';
import { hintsEnabled, settingsSection } from '../settings';
import { noted } from './hover-text';
import type { Planned } from './places';

/** The status bar item: the prompt in front or what is selected of it, or the current run. */
export class PlanStatus extends Disposable {
  private readonly item = this.own(vscode.window.createStatusBarItem('twoHeads.plan', vscode.StatusBarAlignment.Right, 90));
  private showsSelection = false;

  constructor(
    private readonly active: ActivePrompt,
    private readonly plans: PromptPlans,
    private readonly task: SingleTask,
  ) {
    super();
    this.item.name = 'Two Heads';
    this.item.command = 'twoHeads.showMenu';
    this.own(active.onDidChange(() => this.update()));
    this.own(plans.onDidChange(() => this.update()));
    this.own(plans.onDidTurnStale(() => this.update()));
    this.own(task.onDidChange(() => this.update()));
    this.own(
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => {
        if (textEditor === active.prompt?.editor && (this.showsSelection || hasSelection(textEditor))) {
          this.update();
        }
      }),
    );
    // It names its prompt while no editor of texts or notebooks has the focus.
    this.own(vscode.window.onDidChangeActiveTextEditor(() => this.update()));
    this.own(vscode.window.onDidChangeActiveNotebookEditor(() => this.update()));
    this.own(vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration(settingsSection) && this.update()));
    this.update();
  }

  private update(): void {
    const { activity } = this.task;
    const { prompt } = this.active;
    const planned = prompt && this.plans.get(prompt.document);
    const stale = prompt !== undefined && this.plans.isStale(prompt.document);
    this.showsSelection = false;
    if (activity.state === 'running') {
      this.show(`$(loading~spin) ${activity.title} ${formatShare(activity.progress?.fraction ?? 0)}`, t('Two Heads is running'));
    } else if (!hintsEnabled() || prompt === undefined || planned === undefined) {
      this.item.hide();
    } else if (planned.error !== null) {
      this.show('$(warning) Two Heads', planned.error);
    } else {
      const { plan, cache, memory, prediction } = planned;
      const { document, editor } = prompt;
      this.showsSelection = editor !== undefined && hasSelection(editor);
      const figures =
        editor !== undefined && this.showsSelection ? selectionStatus(selectedTokens(planned, editor), plan.tokens) : totals(planned);
      const icon = contextNote(plan.tokens, plan.model) === undefined ? '$(split-horizontal)' : '$(warning)';
      const { activeTextEditor, activeNotebookEditor } = vscode.window;
      const name = (activeTextEditor ?? activeNotebookEditor) === undefined ? `${posix.basename(document.uri.path)}: ` : '';
      this.show(
        markStale(`${icon} ${name}${figures}`, stale),
        noted([planArithmetic(plan, cache, memory), ...(prediction === null ? [] : predictionNotes(prediction))].join('\n\n'), stale),
      );
    }
  }

  private show(text: string, tooltip: string | vscode.MarkdownString): void {
    this.item.text = text;
    this.item.tooltip = tooltip;
    this.item.show();
  }
}

/** What a prompt has and costs, as short as it can be said. */
export function totals({ plan, prediction }: Planned): string {
  return prediction === null ? planStatus(plan) : `${planStatus(plan)} · ${expectedDuration(prediction)}`;
}

function hasSelection({ selections }: vscode.TextEditor): boolean {
  return selections.some(({ isEmpty }) => !isEmpty);
}

/** Tokens of the plan that begin in the selections, of which an editor lets none overlap. */
function selectedTokens({ plan, places, edits }: Planned, { document, selections }: vscode.TextEditor): number {
  return selections
    .filter(({ isEmpty }) => !isEmpty)
    .reduce((sum, { start, end }) => {
      const range = rangeBefore({ from: document.offsetAt(start), to: document.offsetAt(end) }, edits);
      const { from, to } = places.tokensIn(range.from, range.to);
      // Tokens that the plan leaves out, since a setting limits their number, do not count.
      return sum + Math.max(0, Math.min(to, plan.tokens) - from);
    }, 0);
}
