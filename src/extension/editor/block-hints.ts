import * as vscode from 'vscode';
import { blockArithmetic, blockCost, blockLabel } from '../../core/hints/hints';
import { Disposable } from '../disposable';
import type { PromptPlans } from '../prompts/prompt-plans';
import { hintsEnabled, settingsSection } from '../settings';
import { hintOf } from './hint';
import { blockOffset, blocksIn } from './places';

/**
 * A hint at every block boundary in the visible range: the block's number, its calls, its share of the cost.
 *
 * It answers from the latest plan at all times: between an edit and the next plan hints move with their words.
 */
export class BlockHints extends Disposable implements vscode.InlayHintsProvider {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  readonly onDidChangeInlayHints = this.changed.event;

  constructor(private readonly plans: PromptPlans) {
    super();
    this.own(vscode.languages.registerInlayHintsProvider({ pattern: '**' }, this));
    this.own(plans.onDidChange(() => this.changed.fire()));
    this.own(plans.onDidTurnStale(() => this.changed.fire()));
    this.own(vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration(settingsSection) && this.changed.fire()));
  }

  provideInlayHints(document: vscode.TextDocument, range: vscode.Range): vscode.InlayHint[] {
    const planned = hintsEnabled() ? this.plans.get(document) : undefined;
    if (planned === undefined || planned.error !== null) {
      return [];
    }
    const { plan, prediction } = planned;
    const stale = this.plans.isStale(document);
    const { first, last } = blocksIn(planned, { from: document.offsetAt(range.start), to: document.offsetAt(range.end) });
    const hints: vscode.InlayHint[] = [];
    for (let block = first; block <= last; block += 1) {
      const offset = blockOffset(planned, block);
      if (offset !== undefined) {
        hints.push(hintOf(document.positionAt(offset), blockLabel(blockCost(plan, block), prediction), blockArithmetic(plan, block), stale));
      }
    }
    return hints;
  }
}
