import type { Pattern } from '../construct/arrangement';
import { noToken, rowSees } from '../construct/arrangement';

/**
 * Which call reads each (query, key) pair. Calls are numbered from 1 in the order in which they are made; 0 is none.
 *
 * A subtracting call removes pairs that the call before it added.
 */
export interface Coverage {
  /** N. */
  readonly tokens: number;
  /** `[N * N]`: the call whose sum contains a pair after all additions and subtractions. */
  readonly owner: Int32Array;
  /** `[N * N]`: the last call that subtracted a pair. */
  readonly taken: Int32Array;
}

/** Applies the patterns of an arrangement, pair by pair. */
export function coverageOf(tokens: number, patterns: readonly Pattern[]): Coverage {
  const owner = new Int32Array(tokens * tokens);
  const taken = new Int32Array(tokens * tokens);
  // The owner restored when the one on top of it is subtracted: a sink inside a window is added twice.
  const beneath = new Int32Array(tokens * tokens);
  patterns.forEach((pattern, index) => {
    for (const pair of pairsOf(tokens, pattern)) {
      if (pattern.sign === 1) {
        beneath[pair] = owner[pair];
        owner[pair] = index + 1;
      } else {
        taken[pair] = index + 1;
        owner[pair] = beneath[pair];
        beneath[pair] = 0;
      }
    }
  });
  return { tokens, owner, taken };
}

function* pairsOf(tokens: number, pattern: Pattern): Generator<number> {
  for (const [row, query] of pattern.queries.entries()) {
    for (const [keyRow, key] of pattern.keys.entries()) {
      if (query !== noToken && rowSees(pattern, row, keyRow)) {
        yield query * tokens + key;
      }
    }
  }
}

/** The call whose area contains a pair: the one that reads it, or the one that it was subtracted from. */
export function areaOf({ owner, taken }: Coverage, pair: number, patterns: readonly Pattern[]): number {
  return owner[pair] === 0 && taken[pair] > 0 ? addedBefore(taken[pair], patterns) : owner[pair];
}

/** The adding call that a subtracting call belongs to; an adding call belongs to itself. */
export function addedBefore(call: number, patterns: readonly Pattern[]): number {
  let adding = call;
  while (patterns[adding - 1].sign === -1) {
    adding -= 1;
  }
  return adding;
}
