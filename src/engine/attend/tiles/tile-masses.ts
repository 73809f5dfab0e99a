import { logAddExp } from '../../../core/math/attention-state';
import type { TileMasses } from '../../../core/atlas/gatherer';
import type { Dispatch, TileStack } from '../../../core/plan/dispatches';

/** Called once for each head and query block with what its tiles hold of its weights. */
export type OnTileMasses = (head: number, queryBlock: number, masses: TileMasses) => void;

/** What weights are measured against. */
export interface MassScale {
  readonly onMasses: OnTileMasses;
  /**
   * Log-normaliser of a row of a head, counted from the first query of the step; that of the attention itself, with its learned sink,
   * where left out. That of other attention over the same queries says which of its weights the keys of this one have.
   */
  readonly normaliser?: ((head: number, row: number) => number) | undefined;
}

/** Of an oracle that tells none: masses are not numbers then. */
const noSums: Float32Array = new Float32Array();

/** Sums of consecutive key blocks for the queries of one query block. */
interface Part {
  readonly from: number;
  readonly tiles: number;
  /** `[tiles, M]` from `at` on, relative to the reference of each query: a view of each would cost more than its sums. */
  readonly sums: Float32Array;
  readonly at: number;
}

/**
 * Gathers the sums of a head's tiles, as its native runs return them, until the sum over all of a query's keys is known.
 *
 * All tiles of a query have the same reference, so a tile's share of the weights is its sum times one number for each query.
 */
export class TileMassGatherer {
  /** By query block. */
  private readonly parts = new Map<number, Part[]>();

  /** @param rows M */
  constructor(private readonly rows: number) {}

  /** Takes the sums of a native run, as `AttentionResult.tileSums` has them. */
  add({ firstBlock, blocks, stacks, further }: Pick<Dispatch, 'firstBlock' | 'blocks' | 'stacks' | 'further'>, sums = noSums): void {
    let at = 0;
    const put = (block: number, from: number, tiles: number): void => {
      this.put(block, { from, tiles, sums, at });
      at += tiles * this.rows;
    };
    for (const { from, tiles } of stacks) {
      if (blocks === 1) {
        put(firstBlock, from, tiles);
        continue;
      }
      // Several query blocks have a tile each, or all of them the same one.
      for (let block = 0; block < blocks; block += 1) {
        put(firstBlock + block, tiles > 1 ? from + block : from, 1);
      }
    }
    further.forEach((stack, block) => stack && put(firstBlock + block, stack.from, stack.tiles));
  }

  /** Takes the sums of tiles that were run one by one: e to their own log-normalisers `[tiles, M]`, less `reference` of each query. */
  addApart(block: number, { from, tiles }: TileStack, logNormaliser: Float32Array, reference: ArrayLike<number>): void {
    const sums = logNormaliser.map((value, at) => {
      const row = at % this.rows;
      return row < reference.length ? Math.exp(value - reference[row]) : 0;
    });
    this.put(block, { from, tiles, sums, at: 0 });
  }

  /** Forgets the sums of a query block. */
  discard(block: number): void {
    this.parts.delete(block);
  }

  /**
   * The masses of a query block, whose sums are complete, as means over its queries.
   *
   * @param scales `[queries]`: what a sum of each query is multiplied with
   */
  take(block: number, scales: Float64Array): TileMasses {
    const keyBlocks: number[] = [];
    const masses: number[] = [];
    for (const { from, tiles, sums, at } of this.parts.get(block) ?? []) {
      for (let tile = 0; tile < tiles; tile += 1) {
        keyBlocks.push(from + tile);
        masses.push(scaledMean(sums, at + tile * this.rows, scales));
      }
    }
    this.parts.delete(block);
    return { keyBlocks, masses };
  }

  private put(block: number, part: Part): void {
    const known = this.parts.get(block);
    if (known === undefined) {
      this.parts.set(block, [part]);
    } else {
      known.push(part);
    }
  }
}

/** The mean of a tile's sums, from `first` on, times their scales: a function of its own is compiled soon, a loop in a loop is not. */
function scaledMean(sums: Float32Array, first: number, scales: Float64Array): number {
  let sum = 0;
  for (let row = 0; row < scales.length; row += 1) {
    sum += sums[first + row] * scales[row];
  }
  return sum / scales.length;
}

/** The log-normaliser over keys and a learned sink, where there is one. */
export function withSink(logNormaliser: number, sink: number | undefined): number {
  return sink === undefined ? logNormaliser : logAddExp(logNormaliser, sink);
}
