import * as vscode from 'vscode';
import { blockArithmetic, blockCost, blockLabel } from '../../core/hints/hints';
import { blockStart } from '../../core/plan/partition';
import { Disposable } from '../disposable';
import type { PromptPlans } from '../prompts/prompt-plans';
import { hintsEnabled, settingsSection } from '../settings';

/** A hint at every block boundary in the visible range: the block's number, its calls, its share of the cost. */
export class BlockHints extends Disposable implements vscode.InlayHintsProvider {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  readonly onDidChangeInlayHints = this.changed.event;

  constructor(private readonly plans: PromptPlans) {
    super();
    this.own(vscode.languages.registerInlayHintsProvider({ pattern: '**' }, this));
    this.own(plans.onDidChange(() => this.changed.fire()));
    this.own(vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration(settingsSection) && this.changed.fire()));
  }

  provideInlayHints(document: vscode.TextDocument, range: vscode.Range): vscode.InlayHint[] {
    const planned = hintsEnabled() ? this.plans.get(document) : undefined;
    // Hints of an older text would stand at wrong places; the next plan is on its way.
    if (planned === undefined || planned.error !== null || planned.version !== document.version) {
      return [];
    }
    const { plan, prediction, tokenMap } = planned;
    const firstBlock = Math.floor(tokenMap.tokenAt(document.offsetAt(range.start)) / plan.blockSize);
    const lastBlock = Math.floor(tokenMap.tokenAt(document.offsetAt(range.end)) / plan.blockSize);
    const hints: vscode.InlayHint[] = [];
    for (let block = firstBlock; block <= Math.min(lastBlock, plan.blocks - 1); block += 1) {
      const offset = tokenMap.offsetOf(blockStart(plan, block));
      const hint = new vscode.InlayHint(document.positionAt(offset), blockLabel(blockCost(plan, block), prediction));
      hint.paddingLeft = true;
      hint.paddingRight = true;
      hint.tooltip = new vscode.MarkdownString(blockArithmetic(plan, block));
      hints.push(hint);
    }
    return hints;
  }
}
