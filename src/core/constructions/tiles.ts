import { permutation } from '../math/random';
import { blockEnd, blockStart, type Partition } from '../plan/partition';
import { blankPattern, type Pattern } from '../construct/arrangement';

/** Theorem 3.4: query block against key block, every pair visible. Query and key `p` of their blocks share row `p + 1`. */
export function openTile(rows: number, cut: Partition, queryBlock: number, keyBlock: number): Pattern {
  return fillTile(blankPattern(rows, false), cut, queryBlock, keyBlock);
}

/** The lower triangle of a tile, diagonal included (theorem 3.5): on the diagonal of the mask, all that is visible. */
export function lowerTriangle(rows: number, cut: Partition, queryBlock: number, keyBlock: number): Pattern {
  return fillTile(blankPattern(rows, true), cut, queryBlock, keyBlock);
}

function fillTile(pattern: Pattern, cut: Partition, queryBlock: number, keyBlock: number): Pattern {
  placeTokens(pattern.queries, 1, blockStart(cut, queryBlock), blockEnd(cut, queryBlock));
  placeTokens(pattern.keys, 1, blockStart(cut, keyBlock), blockEnd(cut, keyBlock));
  return pattern;
}

/** Puts tokens `[from, to)` on consecutive rows. */
export function placeTokens(column: Int32Array, firstRow: number, from: number, to: number): void {
  for (let token = from; token < to; token += 1) {
    column[firstRow + token - from] = token;
  }
}

/**
 * The strict upper triangle of a tile (claim B.6): keys and queries in reverse order, each query one row above
 * the key of its own position, so that query `p` sees exactly the keys after `p` of the key block.
 *
 * The key block holds as many keys as the widest query block has queries.
 */
export function upperTriangle(rows: number, cut: Partition, queryBlock: number, keyBlock: number): Pattern {
  const pattern = blankPattern(rows, true);
  const firstKey = blockStart(cut, keyBlock);
  const keys = blockEnd(cut, keyBlock) - firstKey;
  const firstQuery = blockStart(cut, queryBlock);
  for (let key = 0; key < keys; key += 1) {
    pattern.keys[keys - key] = firstKey + key;
  }
  // The last query of a full block sees nothing here, and is left out.
  for (let query = 0; query < Math.min(keys - 1, blockEnd(cut, queryBlock) - firstQuery); query += 1) {
    pattern.queries[keys - 1 - query] = firstQuery + query;
  }
  return pattern;
}

/** Theorem 4.1: query block t against the keys tau(S_t) of a random permutation tau. */
export function sampledTiles(rows: number, cut: Partition, seed: number): (queryBlock: number) => Pattern {
  let tau: Uint32Array | undefined;
  return (queryBlock) => {
    tau ??= permutation(cut.tokens, seed);
    const pattern = openTile(rows, cut, queryBlock, queryBlock);
    for (let position = blockStart(cut, queryBlock); position < blockEnd(cut, queryBlock); position += 1) {
      pattern.keys[1 + position - blockStart(cut, queryBlock)] = tau[position];
    }
    return pattern;
  };
}
