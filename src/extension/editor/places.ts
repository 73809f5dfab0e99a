import { rangeCost, type RangeCost } from '../../core/hints/sections';
import { lastAtMost } from '../../core/math/search';
import { blockStart } from '../../core/plan/partition';
import { offsetAfter, rangeBefore, type TextRange } from '../../core/text/edits';
import type { PromptPlan } from '../prompts/prompt-plans';

/** Most hints in a range: far more than a screen shows, but a line can be as long as the prompt. */
export const mostHints = 250;

/** A prompt that was planned successfully. */
export type Planned = Extract<PromptPlan, { readonly error: null }>;

/** Blocks from `first` to `last`, 0-based. */
export interface BlockSpan {
  readonly first: number;
  readonly last: number;
}

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
export function blocksIn({ plan, places, edits }: Planned, range: TextRange): BlockSpan {
  const before = rangeBefore(range, edits);
  const blockAt = (offset: number): number => Math.min(plan.blocks - 1, Math.floor(places.tokenAt(offset) / plan.blockSize));
  return { first: blockAt(before.from), last: blockAt(before.to) };
}

/** The blocks that begin in a range of the current document, such as a line; undefined where none does. */
export function blocksBeginningIn(planned: Planned, range: TextRange): BlockSpan | undefined {
  const { first, last } = blocksIn(planned, range);
  const begins = (block: number): boolean => {
    const offset = blockOffset(planned, block);
    return offset !== undefined && range.from <= offset && offset <= range.to;
  };
  const own = { first: begins(first) ? first : first + 1, last: begins(last) ? last : last - 1 };
  return own.first <= own.last ? own : undefined;
}

/** Numbers of the sections whose headings begin in a range of the current document, `[from, to)`. */
export function sectionsBeginningIn({ sections: { from }, edits }: Planned, range: TextRange): TextRange {
  const seen = rangeBefore(range, edits);
  const upTo = (offset: number): number => (from.length === 0 || from[0] > offset ? 0 : lastAtMost(from, from.length, offset) + 1);
  return { from: upTo(seen.from - 1), to: upTo(seen.to) };
}

/** The cost of a section, including its heading and lower sections. */
export function sectionCost({ plan, places }: Planned, { from, end }: Readonly<Record<'from' | 'end', number>>): RangeCost {
  return rangeCost(plan, places.firstTokenFrom(from), places.firstTokenFrom(end));
}
