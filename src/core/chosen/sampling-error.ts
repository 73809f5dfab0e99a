/** What a sampled tile adds to a row, relative to the row's normaliser: its weighted values `[m]`, and its weights. */
export interface TilePart {
  readonly weighted: Float64Array;
  readonly weight: number;
}

/**
 * How far a row may be off because only some of its light tiles were read, one standard deviation in Euclidean norm, from the spread of
 * those that were: `left sqrt((1 - n/left) / n) s` for n of `left` tiles, s being the standard deviation of `weighted_t - weight_t out`. That
 * is the error of a ratio of two sums estimated from one sample without replacement, to first order (Cochran, Sampling techniques, 1977, 6.4).
 *
 * @param out the row as it was estimated `[m]`
 * @param left tiles of which `parts` are a uniform sample
 * @returns undefined where a sample of one, or of none, tells nothing
 */
export function samplingError(parts: readonly TilePart[], out: ArrayLike<number>, left: number): number | undefined {
  const count = parts.length;
  if (count === left) {
    return 0;
  }
  if (count < 2) {
    return undefined;
  }
  let squares = 0;
  for (let column = 0; column < out.length; column += 1) {
    const moved = parts.map(({ weighted, weight }) => weighted[column] - weight * out[column]);
    const mean = moved.reduce((sum, x) => sum + x, 0) / count;
    squares += moved.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  }
  return left * Math.sqrt((1 - count / left) / count) * Math.sqrt(squares / (count - 1));
}
