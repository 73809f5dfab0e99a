/**
 * Sums of one quantity over positions, in float64: what a mean and its standard error need. They merge by addition.
 *
 * What is not finite is counted instead of summed, so that it survives JSON (which writes `NaN` as `null`, and `null` adds as 0).
 */
export interface Moments {
  /** Positions, those of `infinite` and `invalid` among them. */
  readonly count: number;
  /** Sum of the finite values. */
  readonly sum: number;
  /** Sum of the squares of the finite values. */
  readonly squares: number;
  /** Positions whose value is +Infinity. */
  readonly infinite: number;
  /** Positions whose value is NaN or -Infinity: no quantity measured here can be that. */
  readonly invalid: number;
}

/** The moments of no positions. */
export const noMoments: Moments = { count: 0, sum: 0, squares: 0, infinite: 0, invalid: 0 };

/** Moments that are being summed. */
export type GrowingMoments = { -readonly [Field in keyof Moments]: Moments[Field] };

/** Adds one position's value to `moments`, in place. */
export function addValue(moments: GrowingMoments, value: number): void {
  moments.count += 1;
  if (Number.isFinite(value)) {
    moments.sum += value;
    moments.squares += value * value;
  } else if (value === Infinity) {
    moments.infinite += 1;
  } else {
    moments.invalid += 1;
  }
}

/** The moments of the positions of all of `parts`, which share none. */
export function mergeMoments(...parts: readonly Moments[]): Moments {
  const merged: GrowingMoments = { ...noMoments };
  for (const part of parts) {
    merged.count += part.count;
    merged.sum += part.sum;
    merged.squares += part.squares;
    merged.infinite += part.infinite;
    merged.invalid += part.invalid;
  }
  return merged;
}

/** The mean: NaN for no positions and where a value was invalid, else Infinity where one was infinite. */
export function meanOf({ count, sum, infinite, invalid }: Moments): number {
  if (count === 0 || invalid > 0) {
    return NaN;
  }
  return infinite > 0 ? Infinity : sum / count;
}
