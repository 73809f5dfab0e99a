/** A cost, lower is better: a number, or a value that is known within an interval. */
export type ParetoCost = number | null | undefined | { readonly value: number; readonly low: number; readonly high: number };

/** How a point stands to all others. */
export interface Standing {
  /** Whether no other point beats it: one that is at most as expensive in every cost and cheaper in one. */
  readonly onFront: boolean;
  /**
   * Whether intervals leave open if it belongs to the front: it is beaten, but by no point whose interval ends before its own
   * begins; or it is on the front, but a point that is cheaper otherwise has an interval that overlaps its own.
   */
  readonly isTie: boolean;
}

interface Bounds {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The Pareto front of points, and the points that belong to it or not within the intervals of their costs.
 *
 * Of points with the same costs, all or none are on the front, and none makes another a tie. A point with a cost that is NaN, null
 * or undefined is not on it and beats nothing; an infinite cost is valid. Where an interval is not known, the value is taken as
 * exact. Overlapping 95% intervals call more differences a tie than a test of the difference would, so a point that is no tie is
 * clearly better.
 * @param costs of a point, lower is better, the same number for each point
 */
export function paretoFront<T>(points: readonly T[], costs: (point: T) => readonly ParetoCost[]): readonly Standing[] {
  const priced = points.map((point) => {
    const all = costs(point);
    const known = all.map(boundsOf).filter((cost) => cost !== undefined);
    return known.length === all.length ? known : undefined;
  });
  const known = priced.filter((each) => each !== undefined);
  return priced.map((own): Standing => {
    if (own === undefined) {
      return { onFront: false, isTie: false };
    }
    const others = known.filter((other) => other !== own);
    const onFront = !others.some((other) => beats(other, own, isLess));
    const isTie = onFront
      ? others.some((other) => isCheaper(other, own) && !own.some((cost, index) => isClearlyLess(cost, other[index])))
      : !others.some((other) => beats(other, own, isClearlyLess));
    return { onFront, isTie };
  });
}

function boundsOf(cost: ParetoCost): Bounds | undefined {
  if (typeof cost === 'number') {
    return Number.isNaN(cost) ? undefined : { value: cost, low: cost, high: cost };
  }
  if (cost === null || cost === undefined || typeof cost.value !== 'number' || Number.isNaN(cost.value)) {
    return undefined;
  }
  const { value, low, high } = cost;
  return Number.isFinite(low) && Number.isFinite(high)
    ? { value, low: Math.min(low, value), high: Math.max(high, value) }
    : { value, low: value, high: value };
}

/** Whether `one` beats `other`: no worse in any cost, and better in one. @param less when a cost counts as lower */
function beats(one: readonly Bounds[], other: readonly Bounds[], less: (one: Bounds, other: Bounds) => boolean): boolean {
  return (
    one.every((cost, index) => less(cost, other[index]) || isSame(cost, other[index])) &&
    one.some((cost, index) => less(cost, other[index]))
  );
}

/** Whether `one` is cheaper in the costs that are known exactly, and dearer in none of them. */
function isCheaper(one: readonly Bounds[], other: readonly Bounds[]): boolean {
  const exact = one.map((cost, index) => [cost, other[index]] as const).filter(([own, its]) => isExact(own) && isExact(its));
  return exact.every(([own, its]) => own.value <= its.value) && exact.some(([own, its]) => own.value < its.value);
}

function isExact({ low, high }: Bounds): boolean {
  return low === high;
}

function isSame(one: Bounds, other: Bounds): boolean {
  return one.value === other.value;
}

function isLess(one: Bounds, other: Bounds): boolean {
  return one.value < other.value;
}

function isClearlyLess(one: Bounds, other: Bounds): boolean {
  return one.high < other.low;
}
