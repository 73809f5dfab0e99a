/**
 * Which points no other point beats: one that is at most as expensive in every cost and cheaper in one.
 *
 * Of points with the same costs, all or none are on the front. A point with a cost that is NaN, null or undefined is not on
 * it and beats nothing; an infinite cost is valid.
 * @param costs of a point, lower is better, the same number for each point
 * @returns for each point, whether it is on the front
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
