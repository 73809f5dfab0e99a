import * as vscode from 'vscode';
import { formatDuration, formatError } from '../../core/format';
import { expectation, predictionNotes } from '../../core/hints/expected';
import { markStale, planHeadline, staleNote } from '../../core/hints/hints';
import { t } from '../../core/l10n';
import { contextNote, contextWarning } from '../../core/plan/context-length';
import { Disposable } from '../disposable';
import type { PromptPlans } from '../prompts/prompt-plans';
import { latestRunOf } from '../runs/latest';
import type { RunHistory } from '../runs/run-history';
import { hintsEnabled, settingsSection } from '../settings';
import type { Diffs } from './diffs';

/** Longer than any delay with which an editor answers a refresh, in milliseconds. */
const secondRefreshMs = 1500;

/** Lenses on the first line of a prompt: its cost, the time of its last run, and a command to run it. */
export class PlanLens extends Disposable implements vscode.CodeLensProvider {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  readonly onDidChangeCodeLenses = this.changed.event;
  private secondRefresh: NodeJS.Timeout | undefined;

  constructor(
    private readonly plans: PromptPlans,
    private readonly history: RunHistory,
    private readonly diffs: Diffs,
  ) {
    super();
    // `**` matches every scheme: `plans` answers only for prompts, and the languages can change at any time.
    this.own(vscode.languages.registerCodeLensProvider({ pattern: '**' }, this));
    this.own(plans.onDidChange(() => this.changed.fire()));
    this.own(plans.onDidTurnStale(() => this.changed.fire()));
    this.own(diffs.onDidChange(() => this.changed.fire()));
    this.own(history.onDidChange(() => this.refreshTwice()));
    this.own({ dispose: () => clearTimeout(this.secondRefresh) });
    this.own(vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration(settingsSection) && this.changed.fire()));
  }

  /**
   * An editor that loses the focus drops a pending refresh, and asks again only when the focus returns. This happens to
   * users who turn to the panel as a run ends, so the lenses are refreshed once more after that delay.
   */
  private refreshTwice(): void {
    this.changed.fire();
    clearTimeout(this.secondRefresh);
    this.secondRefresh = setTimeout(() => this.changed.fire(), secondRefreshMs);
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const planned = hintsEnabled() && !this.diffs.isOnlyInDiffs(document) ? this.plans.get(document) : undefined;
    if (planned === undefined) {
      return [];
    }
    const firstLine = new vscode.Range(0, 0, 0, 0);
    const lens = (title: string, command: string, tooltip: string): vscode.CodeLens =>
      new vscode.CodeLens(firstLine, { title, command, tooltip });
    if (planned.error !== null) {
      return [lens(planned.error, 'twoHeads.openPanel', t('Open the Two Heads panel'))];
    }
    const { plan, prediction } = planned;
    const stale = this.plans.isStale(document);
    const headline = prediction === null ? planHeadline(plan) : `${planHeadline(plan)} · ${expectation(prediction)}`;
    const warning = contextWarning(plan.tokens, plan.model);
    const last = latestRunOf(this.history.runs, planned);
    return [
      lens(
        markStale(headline, stale),
        'twoHeads.openPanel',
        [
          stale ? staleNote() : t('Open the Two Heads panel'),
          ...plan.notes,
          ...(prediction === null ? [] : predictionNotes(prediction)),
        ].join('\n\n'),
      ),
      ...(warning === undefined
        ? []
        : [lens(`$(warning) ${warning}`, 'twoHeads.openPanel', contextNote(plan.tokens, plan.model) ?? warning)]),
      lens(`$(play) ${t('Simulate')}`, 'twoHeads.simulateFile', t('Run these calls and check the result')),
      ...(last === undefined
        ? []
        : [
            last.verdict.kind === 'failed'
              ? lens(`$(error) ${t('last run failed')}`, 'twoHeads.openPanel', last.verdict.reason)
              : lens(lastRunText(last.run.wallMs, last.fidelity?.maxAbsError), 'twoHeads.openPanel', t('Show the last run')),
          ]),
    ];
  }
}

function lastRunText(wallMs: number, maxAbsError: number | undefined): string {
  return maxAbsError === undefined
    ? t('last run {0}', formatDuration(wallMs))
    : t('last run {0}, error {1}', formatDuration(wallMs), formatError(maxAbsError));
}
