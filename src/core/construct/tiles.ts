import { partition, type Partition } from '../plan/partition';
import type { Arrangement, ArrangementRequest } from '../constructions/arrangement';
import type { Pattern } from './arrangement';
import { lowerTriangle, openTile, sampledTiles, upperTriangle } from '../constructions/tiles';

/**
 * What the tile arrangements share: blocks of b = M - 1 tokens, because the synthetic token takes one of the M rows.
 *
 * T = ceil(N / (M - 1)).
 */
function blocksOf({ tokens, inputLength }: ArrangementRequest): { cut: Partition; rows: number; blockSize: number; chunks: number } {
  const cut = partition(tokens, Math.min(tokens, inputLength - 1));
  return { cut, rows: cut.blockSize + 1, blockSize: cut.blockSize, chunks: 1 };
}

/** Theorem 3.4: full attention, every query block against every key block. */
export function fullTiles(request: ArrangementRequest): Arrangement {
  const { cut, ...shape } = blocksOf(request);
  const formula = [{ text: 'T^2', patterns: cut.blocks ** 2 }];
  return {
    ...shape,
    statement: 'Theorem 3.4',
    *patternsOf(queryBlock) {
      for (let keyBlock = 0; keyBlock < cut.blocks; keyBlock += 1) {
        yield openTile(shape.rows, cut, queryBlock, keyBlock);
      }
    },
    countOf: () => ({ causal: 0, open: cut.blocks }),
    formula,
    bound: formula,
  };
}

/** Theorem 3.4 with a causal mask inside the tile graph: tiles below the diagonal are open, those on it causal. */
export function causalTiles(request: ArrangementRequest): Arrangement {
  const { cut, ...shape } = blocksOf(request);
  const formula = [
    { text: 'T', patterns: cut.blocks },
    { text: 'T(T - 1)/2', patterns: (cut.blocks * (cut.blocks - 1)) / 2 },
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
  const bound = [{ text: 'T^2', patterns: cut.blocks ** 2 }];
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
    countOf: (queryBlock) => ({ causal: triangles * queryBlock + 1, open: 0 }),
    formula: triangles === 2 ? bound : [{ text: 'T(T + 1)/2', patterns: (cut.blocks * (cut.blocks + 1)) / 2 }],
    bound,
  };
}

/** Theorem 4.1: full attention estimated from one random block of keys per query block. */
export function sampledBlocks(request: ArrangementRequest, seed: number): Arrangement {
  const { cut, ...shape } = blocksOf(request);
  const tile = sampledTiles(shape.rows, cut, seed);
  const formula = [{ text: 'T', patterns: cut.blocks }];
  return {
    ...shape,
    statement: 'Theorem 4.1',
    *patternsOf(queryBlock) {
      yield tile(queryBlock);
    },
    countOf: () => ({ causal: 0, open: 1 }),
    formula,
    bound: formula,
  };
}
