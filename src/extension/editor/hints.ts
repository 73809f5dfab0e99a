import * as vscode from 'vscode';
import { Disposable } from '../disposable';
import type { PromptPlans } from '../prompts/prompt-plans';
import { settingsSection } from '../settings';
import { hintOf, type PlacedLabel } from './hint';
import type { Planned } from './places';

/**
 * Inlay hints of prompts.
 *
 * They are answered from the latest plan at all times: between an edit and the next plan hints move with their words, so
 * that none vanishes only to come back.
 */
export abstract class PromptHints extends Disposable implements vscode.InlayHintsProvider {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  readonly onDidChangeInlayHints = this.changed.event;

  constructor(
    private readonly plans: PromptPlans,
    selector: vscode.DocumentSelector,
    private readonly isEnabled: () => boolean,
  ) {
    super();
    this.own(vscode.languages.registerInlayHintsProvider(selector, this));
    this.own(plans.onDidChange(() => this.changed.fire()));
    this.own(plans.onDidTurnStale(() => this.changed.fire()));
    this.own(vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration(settingsSection) && this.changed.fire()));
  }

  provideInlayHints(document: vscode.TextDocument, range: vscode.Range): vscode.InlayHint[] {
    const planned = this.isEnabled() ? this.plans.get(document) : undefined;
    const stale = this.plans.isStale(document);
    return planned === undefined || planned.error !== null
      ? []
      : [...this.labels(planned, document, range)].map((placed) => hintOf(placed, stale));
  }

  /** The hints in a range of the document as it is now; places of the plan move by its edits. */
  protected abstract labels(planned: Planned, document: vscode.TextDocument, range: vscode.Range): Iterable<PlacedLabel>;
}
