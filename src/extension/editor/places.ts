import { rangeCost, type RangeCost } from '../../core/hints/sections';
import { blockStart } from '../../core/plan/partition';
import { offsetAfter, rangeBefore, type TextRange } from '../../core/text/edits';
import type { PromptPlan } from '../prompts/prompt-plans';

/** Most hints in a range: far more than a screen shows, but a line can be as long as the prompt. */
export const mostHints = 250;

/** A prompt that was planned successfully. */
export type Planned = Extract<PromptPlan, { readonly error: null }>;

/**
 * Offset of a block's start in the current document; the end of the text for the block after the last.
 *
 * @returns undefined if the word it began with was deleted: only the next plan knows
 */
export function blockOffset({ plan, places, edits }: Planned, block: number): number | undefined {
  const token = blockStart(plan, block);
  const from = places.offsetOf(token);
  // The first block always begins at the start of the text.
  return block === 0 || edits.length === 0 ? from : offsetAfter({ from, to: Math.max(from + 1, places.offsetOf(token + 1)) }, edits);
}

/** The first and last block that may appear in a range of the current document. */
export function blocksIn({ plan, places, edits }: Planned, range: TextRange): { readonly first: number; readonly last: number } {
  const before = rangeBefore(range, edits);
  const blockAt = (offset: number): number => Math.min(plan.blocks - 1, Math.floor(places.tokenAt(offset) / plan.blockSize));
  return { first: blockAt(before.from), last: blockAt(before.to) };
}

/** The cost of a section, including its heading and lower sections. */
export function sectionCost({ plan, places }: Planned, { from, end }: Readonly<Record<'from' | 'end', number>>): RangeCost {
  return rangeCost(plan, places.firstTokenFrom(from), places.firstTokenFrom(end));
}
