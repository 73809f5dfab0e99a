import type { TileMasks } from '../../../core/plan/tile-masks';
import { referenceMargin } from '../../../core/math/rounding';
import type { Range } from '../../../core/scenario/scenario';
import { GraphBuilder, type Value } from '../onnx/graph-builder';
import type { Dimension } from '../onnx/operators';

/**
 * Added to the score of a hidden pair. Finite, because a row of infinities is NaN on some providers; far below any real
 * score, so that no visible pair is lost.
 */
export const hiddenScore = -1e30;

/** A log-normaliser at or below this belongs to a row whose keys were all hidden: that row is the empty state. */
export const emptyLogNormaliser = hiddenScore / 2;

/** Sums of e^70 or more are unreliable: exp saturates at e^88 on the CPU, and values multiply it. */
export const largestLogSum = 70;

/** What a graph of attention calls depends on. */
export interface AttendShape {
  /** m. */
  readonly headWidth: number;
  readonly stacks: readonly {
    readonly masked: boolean;
    /** One tile that all query blocks read, one for each of them, or any number for a single query block: apart, or side by side and summed. */
    readonly tiles: 'one' | 'each' | 'apart' | 'joined';
  }[];
  /** Per query block, whether it has open tiles that it alone reads; empty if none has. */
  readonly further: readonly boolean[];
  /** Whether the graph takes sums as input, and with them the reference. */
  readonly continues: boolean;
  /** Whether the graph outputs sums. */
  readonly continued: boolean;
  /** M, if it also outputs the sum of each tile, before they are added up. */
  readonly apart?: number | undefined;
  /** c, where scores s are bent to `c tanh(s / c)`. */
  readonly scoreCap?: number | undefined;
}

/**
 * Attention calls of the small transformer, gathered, run and merged: scores, weights and values of stacks of tiles.
 *
 * All tiles of a query share one reference score c, so merging their states means adding their sums. c is the highest score of
 * the first stack plus a margin, or an input together with the sums of an earlier run.
 *
 * The tiles of a single query block are side by side, as one of many keys: a product over all of them adds up what one for each tile
 * would leave to be added.
 *
 * Dimensions have the same name where they are the same number: only then does ONNX Runtime see that a mask, a reference and exp can be
 * applied in place, and one array of scores stays in the cache where there would be three.
 *
 * Inputs, with `queries` = M: `query` `[blocks, queries, m]`; per stack i
 * `key{i}` and `value{i}` `[tiles, keys, m]` of M keys or fewer, `[keys, m]` of all tiles where they are joined, and, if masked, `mask{i}`
 * `[queries, keys]`, and after those of the stacks `[keys, m]` of the tiles of each query block that has further ones; with `continues` the
 * sums so far, `carried...`. Outputs: the sums, or `out`, `logNormaliser` and `logSum`;
 * with `apart` also `tileSums` `[tiles, queries, 1]` of every stack, of several query blocks the tile of each, and then of each query block's
 * further tiles.
 */
export function attendGraph({ headWidth, stacks, further, continues, continued, apart, scoreCap }: AttendShape): Uint8Array {
  const g = new GraphBuilder('attend');
  const blocks = further.length > 0 ? further.length : stacks.some(({ tiles }) => tiles === 'apart' || tiles === 'joined') ? 1 : 'blocks';
  const query = g.input('query', [blocks, 'queries', headWidth]);
  const sumsIn = continues ? sumsInputs(g, blocks, headWidth) : undefined;
  let reference = sumsIn?.reference;
  let weighted = sumsIn?.weighted;
  let sum = sumsIn?.sum;
  /** The scores of some queries on the keys of a stack, and its values; of tiles side by side, or of so many apart. */
  const read = (queries: Value, index: number, tiles?: Dimension): { scores: Value; value: Value } => {
    const shape = [...(tiles === undefined ? [] : [tiles]), `keys${index}`, headWidth];
    const key = g.transpose(g.input(`key${index}`, shape), tiles === undefined ? [1, 0] : [0, 2, 1]);
    const products = g.matMul(queries, key);
    return {
      scores: scoreCap === undefined ? products : g.cap(products, g.scalar(scoreCap)),
      value: g.input(`value${index}`, shape),
    };
  };
  /** By stack, and then by query block, the sum of the weights in each tile. */
  const tileSums: Value[] = [];
  const sumOf = (weights: Value, index: number, isSideBySide: boolean): Value => {
    if (apart === undefined || !isSideBySide) {
      return (tileSums[index] = g.reduceSum(weights, -1));
    }
    const ofTiles = g.reduceSum(g.reshape(weights, [apart, -1, apart]), -1);
    tileSums[index] = g.transpose(ofTiles, [1, 0, 2]);
    return g.reduceSum(tileSums[index], 0);
  };
  stacks.forEach(({ masked, tiles }, index) => {
    const { scores: open, value } = read(query, index, { one: 1, each: blocks, apart: `tiles${index}`, joined: undefined }[tiles]);
    const scores = masked ? g.add(open, g.input(`mask${index}`, ['queries', `keys${index}`])) : open;
    reference ??= g.add(g.reduceMax(scores, -1), g.scalar(referenceMargin));
    const weights = g.exp(g.subtract(scores, reference));
    const moreWeighted = g.matMul(weights, value);
    const more = sumOf(weights, index, tiles === 'joined');
    weighted = weighted === undefined ? moreWeighted : g.add(weighted, moreWeighted);
    sum = sum === undefined ? more : g.add(sum, more);
  });
  if (reference === undefined || weighted === undefined || sum === undefined) {
    throw new RangeError('A graph of attention calls needs at least one stack of tiles.');
  }
  if (further.some((has) => has)) {
    const [queries, references, weightedParts, sums] = [query, reference, weighted, sum].map((x) => g.split(x, 0, further.length));
    // From the last block on: it has most tiles, and what its scores took is enough for those of the others.
    for (let block = further.length - 1; block >= 0; block -= 1) {
      if (further[block]) {
        const index = stacks.length + block;
        const { scores, value } = read(queries[block], index);
        const weights = g.exp(g.subtract(scores, references[block]));
        weightedParts[block] = g.add(weightedParts[block], g.matMul(weights, value));
        sums[block] = g.add(sums[block], sumOf(weights, index, true));
      }
    }
    weighted = g.concat(0, ...weightedParts);
    sum = g.concat(0, ...sums);
  }
  if (apart !== undefined) {
    const parts = Object.values(tileSums);
    g.output('tileSums', parts.length === 1 ? parts[0] : g.concat(0, ...parts), ['tiles', 'queries', 1]);
  }
  const column = [blocks, 'queries', 1];
  if (continued) {
    g.output('reference', reference, column);
    g.output('weighted', weighted, [blocks, 'queries', headWidth]);
    g.output('sum', sum, column);
  } else {
    const logSum = g.log(sum);
    g.output('out', g.divide(weighted, sum), ['rows', 'queries', headWidth]);
    g.output('logNormaliser', g.add(reference, logSum), ['rows', 'queries', 1]);
    g.output('logSum', logSum, ['rows', 'queries', 1]);
  }
  return g.build();
}

function sumsInputs(g: GraphBuilder, blocks: Dimension, headWidth: number): Record<'reference' | 'weighted' | 'sum', Value> {
  return {
    reference: g.input('carriedReference', [blocks, 'queries', 1]),
    weighted: g.input('carriedWeighted', [blocks, 'queries', headWidth]),
    sum: g.input('carriedSum', [blocks, 'queries', 1]),
  };
}

/**
 * Scores to add to those of a tile's keys `[from, to)`, all by default, `[M, to - from]`: 0 on visible pairs, `hiddenScore` on hidden
 * and padded ones.
 *
 * @param mask its index
 * @param keys that hold all visible ones
 */
export function maskScores(masks: TileMasks, mask: number, { from, to }: Range = { from: 0, to: masks.rows }): Float32Array {
  const { rows } = masks;
  const { starts, bounds } = masks.sight(mask);
  const count = to - from;
  const scores = new Float32Array(rows * count).fill(hiddenScore);
  for (let row = 0; row < rows; row += 1) {
    for (let at = starts[row]; at < starts[row + 1]; at += 2) {
      scores.fill(0, row * count + bounds[at] - from, row * count + bounds[at + 1] - from);
    }
  }
  return scores;
}
