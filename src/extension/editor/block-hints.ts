import type * as vscode from 'vscode';
import { blockArithmetic, blockCost, blockLabel } from '../../core/hints/hints';
import type { PromptPlans } from '../prompts/prompt-plans';
import { hintsEnabled } from '../settings';
import type { PlacedLabel } from './hint';
import { blockOffset, blocksIn, type Planned } from './places';
import { PromptHints } from './hints';

/** A hint at every block boundary in the visible range: the block's number, its calls, its share of the cost. */
export class BlockHints extends PromptHints {
  constructor(plans: PromptPlans) {
    super(plans, { pattern: '**' }, hintsEnabled);
  }

  protected *labels(planned: Planned, document: vscode.TextDocument, range: vscode.Range): Iterable<PlacedLabel> {
    const { plan, prediction } = planned;
    const { first, last } = blocksIn(planned, { from: document.offsetAt(range.start), to: document.offsetAt(range.end) });
    for (let block = first; block <= last; block += 1) {
      const offset = blockOffset(planned, block);
      if (offset !== undefined) {
        yield {
          position: document.positionAt(offset),
          label: blockLabel(blockCost(plan, block), prediction),
          arithmetic: blockArithmetic(plan, block),
        };
      }
    }
  }
}
