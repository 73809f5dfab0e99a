import { maskOf, visibleRanges, type Mask, type Range } from '../scenario/scenario';
import { tileRows, type MaskIndex } from './dispatches';
import { blockEnd, blockStart } from './partition';
import type { LayerPlan } from './plan';

/**
 * Which keys of a tile each of its queries sees, counted from the tile's first key: row i sees the ranges whose bounds (a
 * first key, and the one after the last) are `bounds[starts[i]]` to `bounds[starts[i + 1] - 1]`.
 */
interface TileSight {
  readonly starts: Int32Array;
  readonly bounds: Int32Array;
}

/**
 * The distinct masks of a plan's tiles: a sliding window has a handful, however long the sequence.
 *
 * Two tiles with equal masks get the same index, so that consecutive query blocks can be compared by it.
 */
export class TileMasks {
  private readonly mask: Mask;
  private readonly distinct: TileSight[] = [];
  /** Indices into `distinct`, by digest. */
  private readonly byDigest = new Map<number, number[]>();
  /** Queries and keys of a tile. */
  readonly rows: number;

  constructor(private readonly plan: LayerPlan) {
    this.mask = maskOf(plan.scenario, plan.tokens);
    this.rows = tileRows(plan);
  }

  /** Index of a tile's mask. */
  readonly indexOf: MaskIndex = (queryBlock, keyBlock, partial) => {
    const sight = this.sightOf(queryBlock, keyBlock, partial);
    const digest = digestOf(sight);
    const alike = this.byDigest.get(digest) ?? [];
    const known = alike.find(
      (index) => isSame(this.distinct[index].starts, sight.starts) && isSame(this.distinct[index].bounds, sight.bounds),
    );
    if (known !== undefined) {
      return known;
    }
    const index = this.distinct.push(sight) - 1;
    this.byDigest.set(digest, [...alike, index]);
    return index;
  };

  /** What a mask lets each query see. */
  sight(index: number): TileSight {
    return this.distinct[index];
  }

  /** The keys of a tile from the first that a query sees to the last, one at least. */
  shown(index: number): Range {
    const { bounds } = this.distinct[index];
    const starts = bounds.filter((_, at) => at % 2 === 0);
    const from = bounds.length === 0 ? 0 : starts.reduce((least, start) => Math.min(least, start), this.rows);
    return {
      from,
      to: Math.max(
        from + 1,
        bounds.reduce((most, bound) => Math.max(most, bound), 0),
      ),
    };
  }

  private sightOf(queryBlock: number, keyBlock: number, partial: boolean): TileSight {
    const firstQuery = blockStart(this.plan, queryBlock);
    const firstKey = blockStart(this.plan, keyBlock);
    const keys = blockEnd(this.plan, keyBlock) - firstKey;
    const starts = new Int32Array(this.rows + 1);
    const bounds: number[] = [];
    for (let row = 0; row < this.rows; row += 1) {
      for (const { from, to } of this.rangesOf(firstQuery + row, firstKey, firstKey + keys, partial)) {
        bounds.push(from - firstKey, to - firstKey);
      }
      starts[row + 1] = bounds.length;
    }
    return { starts, bounds: Int32Array.from(bounds) };
  }

  /** The visible keys of a query among `[first, end)`: all of them if the tile is not partial, none past the last token. */
  private rangesOf(query: number, first: number, end: number, partial: boolean): readonly Range[] {
    if (!partial) {
      return [{ from: first, to: end }];
    }
    return query < this.plan.tokens ? visibleWithin(this.mask, query, { from: first, to: end }) : [];
  }
}

/** The keys among `keys` that a query sees, as ascending ranges, none empty, none touching. */
function visibleWithin(mask: Mask, query: number, keys: Range): readonly Range[] {
  const ranges: { from: number; to: number }[] = [];
  const add = (from: number, to: number): void => {
    const last = ranges.at(-1);
    if (last?.to === from) {
      last.to = to;
    } else if (to > from) {
      ranges.push({ from, to });
    }
  };
  if ('visible' in mask) {
    visibleRanges(mask, query).forEach(({ from, to }) => add(Math.max(keys.from, from), Math.min(keys.to, to)));
    return ranges;
  }
  for (let key = keys.from; key < keys.to; key += 1) {
    if (mask.allows(query, key)) {
      add(key, key + 1);
    }
  }
  return ranges;
}

/** FNV-1a of the bounds: unequal masks rarely collide. */
function digestOf({ bounds }: TileSight): number {
  return bounds.reduce((digest, bound) => Math.imul(digest ^ bound, 16_777_619), 2_166_136_261);
}

function isSame(one: Int32Array, other: Int32Array): boolean {
  return one.length === other.length && one.every((value, index) => value === other[index]);
}
