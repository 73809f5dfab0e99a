import type { TruthNode } from './expression/syntax';

/**
 * A mask: a predicate over (query, key), both 0-based token positions.
 *
 * The predicate is the truth. The other fields are shortcuts derived from it, so that a million tokens plan in
 * milliseconds; tests check that they equal the predicate.
 */
export type Mask = BandedMask | GeneralMask;

interface Predicate {
  /** Whether the key at position `key` is visible to the query at position `query`. */
  readonly allows: (query: number, key: number) => boolean;
  /** Number of (query, key) pairs that `allows` admits over the whole sequence. */
  readonly visiblePairs: () => number;
}

/** A mask of one window, plus a prefix of keys that all later queries see. */
export interface BandedMask extends Predicate {
  /** The keys visible to one query. Every field is non-decreasing in `query`. */
  readonly visible: (query: number) => VisibleKeys;
}

/** A mask of any form. Every query sees itself. */
export interface GeneralMask extends Predicate {
  /** The keys visible to one query, ascending, not touching each other. */
  readonly ranges: (query: number) => readonly Range[];
  /** How many pairs of a rectangle are visible; exact. */
  readonly sight: (queries: Range, keys: Range) => Sight;
  /** The expression that it is written as, if it is: masks are then joined part by part. */
  readonly truth?: TruthNode;
  /** Steps of one call of `allows`, as budgets count them; absent for a few. */
  readonly pairSteps?: number;
}

/** Whole numbers from `from` to `to - 1`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Which pairs of a rectangle are visible. */
export type Sight = 'all' | 'none' | 'some';

/**
 * The visible keys of one query: `[0, prefixEnd)` and `[start, end)`, with `prefixEnd <= start <= end`.
 *
 * If the two ranges touch, they are one range. Once there is a gap, `prefixEnd` is the same for all later queries.
 */
export interface VisibleKeys {
  readonly prefixEnd: number;
  readonly start: number;
  readonly end: number;
}

/** The keys that a query sees, as ascending ranges; some may be empty. */
export function visibleRanges(mask: Pick<BandedMask, 'visible'> | Pick<GeneralMask, 'ranges'>, query: number): readonly Range[] {
  if ('ranges' in mask) {
    return mask.ranges(query);
  }
  const { prefixEnd, start, end } = mask.visible(query);
  return [
    { from: 0, to: prefixEnd },
    { from: start, to: end },
  ];
}
