import { InputError } from '../errors';
import { formatCount } from '../format';

/** How the tiles of a layer are chosen by its own queries and keys: plain data. */
export interface TileRule {
  /** Per cent of causal attention's tiles that a layer reads, own key blocks and sample included. */
  readonly share: number;
  /** Per cent of the tiles besides the own key blocks that are a random sample of those not chosen; 0 for none. */
  readonly sample: number;
  /** Queries of each block from which masses are estimated; as many as it has give the true ones. */
  readonly queries: number;
  /** Of the sample. */
  readonly seed: number;
}

/** Most estimated masses of a layer that are kept and compared at once: 256 MiB of them, a few seconds to sort. */
const mostMasses = 2 ** 26;

/** Tiles of one head of causal attention over T blocks. */
export function causalTiles(blocks: number): number {
  return (blocks * (blocks + 1)) / 2;
}

/**
 * K: tiles that a layer reads, for each of its heads on average, whatever is chosen. Every query block reads its own key block, so it is T
 * at least.
 */
export function tileBudget({ share }: Pick<TileRule, 'share'>, blocks: number): number {
  return Math.max(blocks, Math.ceil((share * causalTiles(blocks)) / 100));
}

/** Tiles of the budget that are sampled, for each head on average. */
export function sampleBudget(rule: Pick<TileRule, 'share' | 'sample'>, blocks: number): number {
  return Math.floor((rule.sample * (tileBudget(rule, blocks) - blocks)) / 100);
}

/**
 * How many tiles a query block reads before the run says it: its own key block, and of all others of the budget a part in proportion to the
 * key blocks before it. Those of all query blocks add up to the budget.
 */
export function expectedTiles(rule: Pick<TileRule, 'share'>, blocks: number, queryBlock: number): number {
  const others = tileBudget(rule, blocks) - blocks;
  const candidates = causalTiles(blocks) - blocks;
  const upTo = (block: number): number => (candidates === 0 ? 0 : Math.floor((others * causalTiles(block)) / candidates));
  return 1 + upTo(queryBlock) - upTo(queryBlock - 1);
}

/** Scores, of one head, from which masses are estimated: those of some queries of each block with the keys up to the end of it. */
export function scoredPairs({ queries }: Pick<TileRule, 'queries'>, tokens: number, blockSize: number): number {
  const rows = Math.min(tokens, blockSize);
  return Math.min(queries, rows) * rows * causalTiles(Math.ceil(tokens / blockSize));
}

/** Refuses a choice among more tiles than are compared at once. @throws InputError with a block size that fits */
export function checkMasses(tokens: number, heads: number, blockSize: number): void {
  const massesAt = (size: number): number => heads * causalTiles(Math.ceil(tokens / size));
  if (massesAt(blockSize) > mostMasses) {
    let fitting = blockSize;
    while (massesAt(fitting) > mostMasses) {
      fitting *= 2;
    }
    throw new InputError(
      `Tiles of ${formatCount(tokens)} tokens in blocks of ${formatCount(blockSize)} are too many to choose from, ${formatCount(massesAt(blockSize))} a layer of at most ${formatCount(mostMasses)}; use --block ${fitting} or more.`,
    );
  }
}
