/**
 * Dense attention of one head in float64, from the predicate alone: the truth of the tests, sharing no code with the
 * product. A row that sees no key is zero with a log-normaliser of minus infinity.
 *
 * @param cap c, where scores s are bent to `c tanh(s / c)`
 */
export function denseAttention(
  queries: readonly number[][],
  keys: readonly number[][],
  values: readonly number[][],
  allows: (query: number, key: number) => boolean,
  cap?: number,
): { out: number[][]; logNormaliser: number[] } {
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const bent = (score: number): number => (cap === undefined ? score : cap * Math.tanh(score / cap));
  const logNormaliser: number[] = [];
  const out = queries.map((query, i) => {
    const scores = keys.map((key, j) => (allows(i, j) ? bent(dot(query, key)) : -Infinity));
    const high = Math.max(...scores);
    const weights = scores.map((score) => (score === -Infinity ? 0 : Math.exp(score - high)));
    const sum = weights.reduce((a, b) => a + b, 0);
    logNormaliser.push(sum === 0 ? -Infinity : high + Math.log(sum));
    return values[0].map((_, c) => (sum === 0 ? 0 : weights.reduce((total, w, j) => total + w * values[j][c], 0) / sum));
  });
  return { out, logNormaliser };
}

/** Cuts a flat row-major array into rows. */
export function toRows(flat: ArrayLike<number>, width: number): number[][] {
  return Array.from({ length: flat.length / width }, (_, row) =>
    Array.from({ length: width }, (_unused, column) => flat[row * width + column]),
  );
}
