import { type QueryBlock, queryBlockAt, type QueryBlocks } from '../../src/core/plan/query-blocks';

/** Every query block of a plan, as tests look at them. */
export function queryBlocksOf({ queryBlocks }: { readonly queryBlocks: QueryBlocks }): QueryBlock[] {
  return Array.from({ length: queryBlocks.length }, (_, block) => queryBlockAt(queryBlocks, block));
}
