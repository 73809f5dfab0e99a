/**
 * Separation vectors of theorem 4.2: they keep independent chunks apart in one call that has no mask between them.
 *
 * Chunk `c` gets `u_c` in `{0, -B}^w` with exactly w/2 zeros on its queries and `v_c = B + u_c` on its keys. Then `<u_c,
 * v_c>` is 0, every product being 0, so no score within a chunk is rounded; across chunks `<u_c, v_c'> <= -B^2`.
 */
export interface SeparationVector {
  /** `[w]`, for the queries. */
  readonly query: Float32Array;
  /** `[w]`, for the keys. */
  readonly key: Float32Array;
}

/**
 * B. Across chunks a score falls by at least B^2, about a million: `exp` of it is 0 in float32 for any scores whose
 * spread stays below that, and B^2 is still exact.
 */
export const separationStrength = 1024;

/** The smallest even w with C(w, w/2) >= chunks; 0 for a single chunk. */
export function separationWidth(chunks: number): number {
  let width = 0;
  for (let vectors = 1; vectors < chunks; width += 2) {
    // C(w + 2, w/2 + 1) from C(w, w/2).
    vectors = (vectors * (width + 1) * (width + 2)) / (width / 2 + 1) ** 2;
  }
  return width;
}

/** The separation vectors of `chunks` chunks, distinct, in lexicographic order of their zeros. */
export function separationVectors(chunks: number): SeparationVector[] {
  const width = separationWidth(chunks);
  const vectors: SeparationVector[] = [];
  const zeros = Array.from({ length: width / 2 }, (_, index) => index);
  for (let chunk = 0; chunk < chunks; chunk += 1) {
    const query = new Float32Array(width).fill(-separationStrength);
    zeros.forEach((column) => (query[column] = 0));
    vectors.push({ query, key: query.map((entry) => entry + separationStrength) });
    advance(zeros, width);
  }
  return vectors;
}

/** The next choice of columns in lexicographic order. */
function advance(chosen: number[], width: number): void {
  let at = chosen.length - 1;
  while (at >= 0 && chosen[at] === width - chosen.length + at) {
    at -= 1;
  }
  for (let next = at < 0 ? width : chosen[at] + 1; at >= 0 && at < chosen.length; at += 1, next += 1) {
    chosen[at] = next;
  }
}
