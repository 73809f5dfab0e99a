import type { Plan } from '../plan/plan';
import { blockCost, type BlockCost } from './hints';

/** The first so many of the parts that cost most; those of one cost in the order they came in. */
export function mostExpensive<T>(parts: readonly T[], costOf: (part: T) => number, limit: number): T[] {
  return parts.toSorted((a, b) => costOf(b) - costOf(a)).slice(0, limit);
}

/** The blocks of a prompt that cost most, ties by position. */
export function mostExpensiveBlocks(plan: Plan, limit: number): BlockCost[] {
  const blocks = mostExpensive([...plan.queryBlocks.keys()], (block) => plan.queryBlocks[block].instances, limit);
  return blocks.map((block) => blockCost(plan, block));
}

/** The first words of a text, in one line of at most so many characters. */
export function firstWords(text: string, characters: number): string {
  // White space may take up much of it; a few times as much is sure to have enough words, whatever the text's length.
  const line = text
    .slice(0, 4 * characters)
    .trim()
    .replaceAll(/\s+/g, ' ');
  return line.length <= characters ? line : `${line.slice(0, characters).trimEnd()}…`;
}
