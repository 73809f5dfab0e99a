import * as vscode from 'vscode';
import { formatDuration, formatError } from '../../core/format';
import { expectation, predictionNotes } from '../../core/hints/expected';
import { markStale, planHeadline, staleNote } from '../../core/hints/hints';
import { messageShown, t } from '../../core/l10n';
import { contextNote, contextText } from '../../core/plan/context-length';
import type { DevicePrediction } from '../../core/predict/prediction';
import { reasonShown } from '../../core/report/verdict-words';
import { Disposable } from '../disposable';
import type { PromptPlans } from '../prompts/prompt-plans';
import { latestRunOf } from '../runs/latest';
import type { RunHistory } from '../runs/run-history';
import { hintsEnabled, settingsSection } from '../settings';
import type { Diffs } from './diffs';

/** Longer than any delay with which an editor answers a refresh, in milliseconds. */
const secondRefreshMs = 1500;

/** Lenses on the first line of a prompt: what runs it, and how much of the model's context it takes, with all else on hover. */
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
    const last = latestRunOf(this.history.runs, planned);
    const failure = last?.verdict.kind === 'failed' ? reasonShown(last.verdict.reason) : undefined;
    const warning = contextNote(plan.tokens, plan.model);
    const icon = failure !== undefined ? '$(error) ' : warning !== undefined ? '$(warning) ' : '';
    const fact = failure !== undefined ? t('last run failed') : contextText(plan.tokens, plan.model);
    return [
      lens(`$(play) ${simulateTitle(prediction)}`, 'twoHeads.simulateFile', t('Run these calls and check the result')),
      lens(
        `${icon}${markStale(fact, stale)}`,
        'twoHeads.openPanel',
        [
          markStale(prediction === null ? planHeadline(plan) : `${planHeadline(plan)} · ${expectation(prediction)}`, stale),
          ...(stale ? [staleNote()] : []),
          ...(failure !== undefined ? [failure] : last === undefined ? [] : [lastRunText(last.run.wallMs, last.fidelity?.maxAbsError)]),
          ...(warning === undefined ? [] : [warning]),
          ...plan.notes.map(messageShown),
          ...(prediction === null ? [] : predictionNotes(prediction)),
          t('Open the Two Heads panel'),
        ].join('\n\n'),
      ),
    ];
  }
}

/** What the lens offers, with the time that it is expected to take. */
function simulateTitle(prediction: DevicePrediction | null): string {
  return prediction === null ? t('Simulate') : t('Simulate, about {0}', formatDuration(prediction.wallMs));
}

function lastRunText(wallMs: number, maxAbsError: number | undefined): string {
  return maxAbsError === undefined
    ? t('Last run: {0}', formatDuration(wallMs))
    : t('Last run: {0}, error {1}', formatDuration(wallMs), formatError(maxAbsError));
}
