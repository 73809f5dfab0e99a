import * as vscode from 'vscode';
import { formatDuration, formatShare } from '../../core/format';
import { markStale, planArithmetic, planStatus } from '../../core/hints/hints';
import { t } from '../../core/l10n';
import { contextNote } from '../../core/plan/context-length';
import { Disposable } from '../disposable';
import type { ActivePrompt } from '../prompts/active-prompt';
import type { PromptPlans } from '../prompts/prompt-plans';
import type { SingleTask } from '../tasks/single-task';
import { hintsEnabled, settingsSection } from '../settings';
import { noted } from './hints';

/** The status bar item: the active prompt, or the current run. */
export class PlanStatus extends Disposable {
  private readonly item = this.own(vscode.window.createStatusBarItem('twoHeads.plan', vscode.StatusBarAlignment.Right, 90));

  constructor(
    private readonly active: ActivePrompt,
    private readonly plans: PromptPlans,
    private readonly task: SingleTask,
  ) {
    super();
    this.item.name = 'Two Heads';
    this.item.command = 'twoHeads.openPanel';
    this.own(active.onDidChange(() => this.update()));
    this.own(plans.onDidChange(() => this.update()));
    this.own(plans.onDidTurnStale(() => this.update()));
    this.own(task.onDidChange(() => this.update()));
    this.own(vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration(settingsSection) && this.update()));
    this.update();
  }

  private update(): void {
    const { activity } = this.task;
    const document = this.active.editor?.document;
    const planned = document && this.plans.get(document);
    const stale = document !== undefined && this.plans.isStale(document);
    if (activity.state === 'running') {
      this.show(`$(loading~spin) ${activity.title} ${formatShare(activity.progress?.fraction ?? 0)}`, t('Two Heads is running'));
    } else if (!hintsEnabled() || planned === undefined) {
      this.item.hide();
    } else if (planned.error !== null) {
      this.show('$(warning) Two Heads', planned.error);
    } else {
      const { plan, prediction } = planned;
      const expected = prediction === null ? '' : ` · ${formatDuration(prediction.wallMs)}`;
      const icon = contextNote(plan.tokens, plan.model) === undefined ? '$(split-horizontal)' : '$(warning)';
      this.show(markStale(`${icon} ${planStatus(plan)}${expected}`, stale), noted(planArithmetic(plan), stale));
    }
  }

  private show(text: string, tooltip: string | vscode.MarkdownString): void {
    this.item.text = text;
    this.item.tooltip = tooltip;
    this.item.show();
  }
}
