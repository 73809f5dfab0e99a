import * as vscode from 'vscode';
import { predictionArithmetic } from '../../core/hints/expected';
import { blockArithmetic, planArithmetic } from '../../core/hints/hints';
import { withBreakEven } from '../../core/predict/prediction';
import { Disposable } from '../disposable';
import type { PromptPlans } from '../prompts/prompt-plans';
import { hintPlacement, hintsEnabled } from '../settings';
import type { Diffs } from './diffs';
import { hintHover, promptHover } from './hover-text';
import { blockOffset, blocksIn } from './places';

/** Shows a block's arithmetic on hover over its first token; on the first block also the whole prompt's. */
export class BlockHover extends Disposable implements vscode.HoverProvider {
  constructor(
    private readonly plans: PromptPlans,
    private readonly diffs: Diffs,
  ) {
    super();
    this.own(vscode.languages.registerHoverProvider({ pattern: '**' }, this));
  }

  provideHover(document: vscode.TextDocument, position: vscode.Position): vscode.Hover | undefined {
    const planned = hintsEnabled() && !this.diffs.isOnlyInDiffs(document) ? this.plans.get(document) : undefined;
    if (planned === undefined || planned.error !== null) {
      return undefined;
    }
    // There the hint has a hover of its own.
    if (hintPlacement() === 'endOfLine' && position.isEqual(document.lineAt(position.line).range.end)) {
      return undefined;
    }
    const { plan, prediction, calibration, cache, memory } = planned;
    const word = document.getWordRangeAtPosition(position) ?? new vscode.Range(position, position);
    const at = document.offsetAt(position);
    const block = blocksIn(planned, { from: at, to: at }).last;
    const offset = blockOffset(planned, block);
    if (offset === undefined) {
      return undefined;
    }
    const start = document.positionAt(offset);
    // A token is often a space and part of a word: use the word at the boundary, which the pointer can hit.
    const target = new vscode.Range(start, start.translate(0, 1));
    if (word.intersection(target) === undefined) {
      return undefined;
    }
    const stale = this.plans.isStale(document);
    if (block > 0) {
      return new vscode.Hover(hintHover([blockArithmetic(plan, block)], stale));
    }
    const parts = [
      planArithmetic(plan, cache, memory),
      predictionArithmetic(withBreakEven(prediction, plan, calibration)),
      blockArithmetic(plan, 0),
    ];
    return new vscode.Hover(promptHover(parts, stale, calibration !== undefined));
  }
}
