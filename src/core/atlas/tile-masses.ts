/** What the tiles of one query block hold of the attention of a head. */
export interface TileMasses {
  /** The key blocks that are read, each once, in any order. */
  readonly keyBlocks: readonly number[];
  /** Of each the sum of the weights on its keys, as a mean over the queries of the block: from 0 to 1. */
  readonly masses: readonly number[];
}
