import { maskOf, type Mask } from '../masks';
import { tileRows, type MaskIndex } from './dispatches';
import { blockEnd, blockStart } from './partition';
import type { LayerPlan } from './plan';

/**
 * Which keys of a tile each of its queries sees: row `i` sees `[0, spans[3i])` and `[spans[3i + 1], spans[3i + 2])`,
 * counted from the tile's first key. A row past the last token sees what the row before it would make of it, or nothing.
 */
export type TileSpans = Int32Array;

/**
 * The masks of a plan's tiles, equal ones once: a sliding window has a handful, however long the sequence.
 *
 * Two tiles whose masks are equal get the same index, so that consecutive query blocks can be compared by it.
 */
export class TileMasks {
  private readonly mask: Mask;
  private readonly distinct: TileSpans[] = [];
  /** Queries and keys of a tile. */
  readonly rows: number;

  constructor(private readonly plan: LayerPlan) {
    this.mask = maskOf(plan.scenario, plan.tokens);
    this.rows = tileRows(plan);
  }

  /** Index of a tile's mask. */
  readonly indexOf: MaskIndex = (queryBlock, keyBlock, partial) => {
    const spans = this.spansOf(queryBlock, keyBlock, partial);
    const known = this.distinct.findIndex((other) => other.every((bound, index) => bound === spans[index]));
    return known >= 0 ? known : this.distinct.push(spans) - 1;
  };

  /** The spans of a mask. */
  spans(index: number): TileSpans {
    return this.distinct[index];
  }

  private spansOf(queryBlock: number, keyBlock: number, partial: boolean): TileSpans {
    const firstQuery = blockStart(this.plan, queryBlock);
    const firstKey = blockStart(this.plan, keyBlock);
    const keys = blockEnd(this.plan, keyBlock) - firstKey;
    const column = (key: number): number => Math.min(keys, Math.max(0, key - firstKey));
    const spans = new Int32Array(3 * this.rows);
    for (let row = 0; row < this.rows; row += 1) {
      if (!partial) {
        spans[3 * row + 2] = keys;
      } else if (firstQuery + row < this.plan.tokens) {
        const { prefixEnd, start, end } = this.mask.visible(firstQuery + row);
        spans.set([column(prefixEnd), column(start), column(end)], 3 * row);
      }
    }
    return spans;
  }
}
