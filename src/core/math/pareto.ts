/**
 * Which points no other one beats: none is at most as dear in every cost and cheaper in one.
 *
 * Points with the same costs are all on the front, or none is. A point with a cost that is NaN, null or undefined is not on
 * it and beats nothing; an infinite cost is a cost like any other.
 * @param costs of a point, all to be small, the same number for each
 * @returns by point, whether it is on the front
 */
export function paretoFront<T>(points: readonly T[], costs: (point: T) => readonly (number | null | undefined)[]): readonly boolean[] {
  const priced = points.map((point) => {
    const known = costs(point).filter((cost): cost is number => typeof cost === 'number' && !Number.isNaN(cost));
    return known.length === costs(point).length ? known : undefined;
  });
  return priced.map((own) => own !== undefined && !priced.some((other) => other !== undefined && beats(other, own)));
}

function beats(one: readonly number[], other: readonly number[]): boolean {
  return one.every((cost, index) => cost <= other[index]) && one.some((cost, index) => cost < other[index]);
}
