import { offsetAfter, rangeBefore, type TextRange } from '../../core/text/edits';
import { rangeCost, type RangeCost } from '../../core/hints/sections';
import type { Section } from '../../core/markdown/sections';
import { blockStart } from '../../core/plan/partition';
import { firstTokenFrom } from '../../engine/read/tokenizer/token-map';
import type { PromptPlan } from '../prompts/prompt-plans';

/** A prompt that could be planned. */
export type Planned = Extract<PromptPlan, { readonly error: null }>;

/**
 * Where a block begins in the document as it is now; the end of the text for the block after the last.
 *
 * @returns undefined where the word that it began with is gone: only the next plan knows
 */
export function blockOffset({ plan, tokenMap, edits }: Planned, block: number): number | undefined {
  const token = blockStart(plan, block);
  const from = tokenMap.offsetOf(token);
  // The first block begins with the text, whatever is written there.
  return block === 0 || edits.length === 0 ? from : offsetAfter({ from, to: Math.max(from + 1, tokenMap.offsetOf(token + 1)) }, edits);
}

/** The blocks, first and last, that a range of the document as it is now may show. */
export function blocksIn({ plan, tokenMap, edits }: Planned, range: TextRange): { readonly first: number; readonly last: number } {
  const before = rangeBefore(range, edits);
  const blockAt = (offset: number): number => Math.min(plan.blocks - 1, Math.floor(tokenMap.tokenAt(offset) / plan.blockSize));
  return { first: blockAt(before.from), last: blockAt(before.to) };
}

/** What a section costs, its heading and lower sections included. */
export function sectionCost({ plan, tokenMap }: Planned, { from, end }: Section): RangeCost {
  return rangeCost(plan, firstTokenFrom(tokenMap, from), firstTokenFrom(tokenMap, end));
}
