import { lastAtMost } from '../../math/search';

/** Where rectangles of pairs are best cut: there the conditions of a mask change. */
export interface Cuts {
  /** Tokens of the blocks that the mask is made of; infinite where it has none. */
  readonly grain: number;
  /** Positions between parts of other lengths, ascending. */
  readonly edges: readonly number[];
}

/** The cuts of several masks together. */
export function joinedCuts(cuts: readonly Cuts[]): Cuts {
  return {
    grain: Math.min(...cuts.map(({ grain }) => grain), Infinity),
    edges: [...new Set(cuts.flatMap(({ edges }) => edges))].sort((one, other) => one - other),
  };
}

/**
 * Where to cut a range of at least two tokens: between two parts if one ends inside, at the edge that is nearest to the middle; else
 * between two blocks if one ends inside, at the roundest of their numbers in binary, so that cuts fall on the edges of blocks of 64,
 * 128 and so on.
 */
export function middleOf(from: number, to: number, { grain, edges }: Cuts): number {
  const edge = edges.length === 0 ? undefined : nearest(edges, (from + to) / 2);
  if (edge !== undefined && edge > from && edge < to) {
    return edge;
  }
  for (const unit of grain === Infinity ? [1] : [grain, 1]) {
    const [low, high] = [Math.floor(from / unit), Math.floor((to - 1) / unit)];
    if (low < high) {
      const roundness = 2 ** (31 - Math.clz32(low ^ high));
      return Math.floor(high / roundness) * roundness * unit;
    }
  }
  return from + 1;
}

function nearest(ascending: readonly number[], value: number): number {
  const index = lastAtMost(ascending, ascending.length, value);
  const [low, high] = [ascending[index], ascending[Math.min(index + 1, ascending.length - 1)]];
  return Math.abs(value - low) <= Math.abs(high - value) ? low : high;
}
