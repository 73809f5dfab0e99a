import * as vscode from 'vscode';
import { formatDuration, formatError } from '../../core/format';
import { planHeadline } from '../../core/hints/hints';
import { Disposable } from '../disposable';
import type { PromptPlans } from '../prompts/prompt-plans';
import { latestRunOf } from '../runs/latest-run';
import type { RunHistory } from '../runs/run-history';
import { hintsEnabled, settingsSection } from '../settings';

/** Lenses on the first line of a prompt: what it costs, what its last run took, and the way to run it. */
export class PlanLens extends Disposable implements vscode.CodeLensProvider {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  readonly onDidChangeCodeLenses = this.changed.event;

  constructor(
    private readonly plans: PromptPlans,
    private readonly history: RunHistory,
  ) {
    super();
    // A pattern of `*` in every scheme: `plans` answers only for prompts, and the languages can change at any time.
    this.own(vscode.languages.registerCodeLensProvider({ pattern: '**' }, this));
    this.own(plans.onDidChange(() => this.changed.fire()));
    this.own(history.onDidChange(() => this.changed.fire()));
    this.own(vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration(settingsSection) && this.changed.fire()));
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const planned = hintsEnabled() ? this.plans.get(document) : undefined;
    if (planned === undefined) {
      return [];
    }
    const firstLine = new vscode.Range(0, 0, 0, 0);
    const lens = (title: string, command: string, tooltip: string): vscode.CodeLens =>
      new vscode.CodeLens(firstLine, { title, command, tooltip });
    if (planned.error !== null) {
      return [lens(planned.error, 'twoHeads.openPanel', 'Open the Two Heads panel')];
    }
    const { plan } = planned;
    const last = latestRunOf(this.history.runs, document, plan);
    return [
      lens(planHeadline(plan), 'twoHeads.openPanel', 'Open the Two Heads panel'),
      lens('$(play) Simulate', 'twoHeads.simulateFile', 'Run these calls and check the result'),
      ...(last === undefined ? [] : [lens(lastRunText(last.run.wallMs, last.fidelity?.maxAbsError), 'twoHeads.openPanel', 'Show the last run')]),
    ];
  }
}

function lastRunText(wallMs: number, maxAbsError: number | undefined): string {
  return `last run ${formatDuration(wallMs)}${maxAbsError === undefined ? '' : `, error ${formatError(maxAbsError)}`}`;
}
