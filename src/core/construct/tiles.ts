import { permutation } from '../math/random';
import { blockEnd, blockStart, type Partition, partition } from '../plan/partition';
import { type Arrangement, type ArrangementRequest, blankPattern, type Pattern, type PatternFormula } from './arrangement';

/** Theorem 3.4: query block against key block, every pair visible. Query and key `p` of their blocks share row `p + 1`. */
export function openTile(rows: number, cut: Partition, queryBlock: number, keyBlock: number): Pattern {
  return fillTile(blankPattern(rows, false), cut, queryBlock, keyBlock);
}

/**
 * The lower triangle of a tile, including the diagonal (theorem 3.5); for a tile on the mask's diagonal, every visible
 * pair.
 */
function lowerTriangle(rows: number, cut: Partition, queryBlock: number, keyBlock: number): Pattern {
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
function upperTriangle(rows: number, cut: Partition, queryBlock: number, keyBlock: number): Pattern {
  const pattern = blankPattern(rows, true);
  const firstKey = blockStart(cut, keyBlock);
  const keys = blockEnd(cut, keyBlock) - firstKey;
  const firstQuery = blockStart(cut, queryBlock);
  for (let key = 0; key < keys; key += 1) {
    pattern.keys[keys - key] = firstKey + key;
  }
  // The last query of a full block sees nothing here, so it is left out.
  for (let query = 0; query < Math.min(keys - 1, blockEnd(cut, queryBlock) - firstQuery); query += 1) {
    pattern.queries[keys - 1 - query] = firstQuery + query;
  }
  return pattern;
}

/** Theorem 4.1: query block t against the keys tau(S_t) of a random permutation tau. */
function sampledTiles(rows: number, cut: Partition, seed: number): (queryBlock: number) => Pattern {
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

/** A sequence cut into blocks, and what a call of them has. */
type BlockCut = { readonly cut: Partition } & Pick<Arrangement, 'rows' | 'blockSize' | 'separation'>;

/**
 * The partition of the tile arrangements: blocks of b = M - 1 tokens, because the synthetic token takes one of the M rows.
 *
 * T = ceil(N / (M - 1)).
 */
export function blocksOf({ tokens, inputLength }: ArrangementRequest): BlockCut {
  const cut = partition(tokens, Math.min(tokens, inputLength - 1));
  return { cut, rows: cut.blockSize + 1, blockSize: cut.blockSize, separation: {} };
}

/** Theorem 3.4: full attention, every query block against every key block. */
export function fullTiles(request: ArrangementRequest): Arrangement {
  const { cut, ...shape } = blocksOf(request);
  const formula: PatternFormula = [{ kind: 'open', text: 'T^2', patterns: cut.blocks ** 2 }];
  return {
    ...shape,
    statement: 'Theorem 3.4',
    *patternsOf(queryBlock) {
      for (let keyBlock = 0; keyBlock < cut.blocks; keyBlock += 1) {
        yield openTile(shape.rows, cut, queryBlock, keyBlock);
      }
    },
    countOf: () => ({ open: cut.blocks }),
    formula,
    bound: formula,
  };
}

/** Theorem 3.4 with a causal mask inside the tile graph: tiles below the diagonal are open, those on it are causal. */
export function causalTiles(request: ArrangementRequest): Arrangement {
  const { cut, ...shape } = blocksOf(request);
  const formula: PatternFormula = [
    { kind: 'causal', text: 'T', patterns: cut.blocks },
    { kind: 'open', text: 'T(T - 1)/2', patterns: (cut.blocks * (cut.blocks - 1)) / 2 },
  ];
  return {
    ...shape,
    statement: 'Theorem 3.4, causal tiles',
    *patternsOf(queryBlock) {
      for (let keyBlock = 0; keyBlock < queryBlock; keyBlock += 1) {
        yield openTile(shape.rows, cut, queryBlock, keyBlock);
      }
      yield lowerTriangle(shape.rows, cut, queryBlock, queryBlock);
    },
    countOf: (queryBlock) => ({ causal: 1, open: queryBlock }),
    formula,
    bound: formula,
  };
}

/** Theorem 3.5: causal attention from a causal oracle; a tile below the diagonal is two triangles. */
export function causalTriangles(request: ArrangementRequest): Arrangement {
  const { cut, ...shape } = blocksOf(request);
  // A tile of one key has no strict upper triangle.
  const triangles = cut.blockSize > 1 ? 2 : 1;
  const bound: PatternFormula = [{ kind: 'causal', text: 'T^2', patterns: cut.blocks ** 2 }];
  return {
    ...shape,
    statement: 'Theorem 3.5',
    *patternsOf(queryBlock): Iterable<Pattern> {
      for (let keyBlock = 0; keyBlock < queryBlock; keyBlock += 1) {
        yield lowerTriangle(shape.rows, cut, queryBlock, keyBlock);
        if (triangles === 2) {
          yield upperTriangle(shape.rows, cut, queryBlock, keyBlock);
        }
      }
      yield lowerTriangle(shape.rows, cut, queryBlock, queryBlock);
    },
    countOf: (queryBlock) => ({ causal: triangles * queryBlock + 1 }),
    formula: triangles === 2 ? bound : [{ kind: 'causal', text: 'T(T + 1)/2', patterns: (cut.blocks * (cut.blocks + 1)) / 2 }],
    bound,
  };
}

/** Theorem 4.1: full attention estimated from one random block of keys per query block. */
export function sampledBlocks(request: ArrangementRequest, seed: number): Arrangement {
  const { cut, ...shape } = blocksOf(request);
  const tile = sampledTiles(shape.rows, cut, seed);
  const formula: PatternFormula = [{ kind: 'open', text: 'T', patterns: cut.blocks }];
  return {
    ...shape,
    statement: 'Theorem 4.1',
    *patternsOf(queryBlock) {
      yield tile(queryBlock);
    },
    countOf: () => ({ open: 1 }),
    formula,
    bound: formula,
  };
}
