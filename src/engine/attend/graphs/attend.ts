import type { TileMasks } from '../../../core/plan/tile-masks';
import { referenceMargin } from '../../../core/math/rounding';
import { GraphBuilder, type Value } from '../onnx/graph-builder';

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
  /** Per stack of tiles, whether it has a mask. */
  readonly masked: readonly boolean[];
  /** Whether keys lack their column of ones. */
  readonly plainKeys: boolean;
  /** Whether each stack's tiles are summed, because one query block reads them; otherwise they stay separate. */
  readonly summed: boolean;
  /** Whether the graph takes sums as input, and with them the reference. */
  readonly continues: boolean;
  /** Whether the graph outputs sums. */
  readonly continued: boolean;
  /** c, where scores s are bent to `c tanh(s / c)`. */
  readonly scoreCap?: number | undefined;
}

/**
 * Attention calls of the small transformer, gathered, run and merged: scores, weights and values of stacks of tiles.
 *
 * All tiles of a query share one reference score c, so merging their states means adding their sums; and c is one more
 * column of the product (query `[q, -c]`, key `[k, 1]`), so that exp is the only pass over the scores besides the row sum.
 * c is the highest score of the first stack plus a margin, or an input together with the sums of an earlier run. Where scores
 * are bent, c cannot be a column: it is subtracted after that, in a pass of its own.
 *
 * Inputs, with `queries` = M except for the last token of a generation: `query` `[blocks, queries, m]`; per stack i
 * `key{i}` `[tiles, M, m + 1]` (or m, if keys are plain), `value{i}` `[tiles, M, m]` and, if masked, `mask{i}` `[queries,
 * M]`; with `continues` the sums so far, `carried...`. Outputs: the sums, or `out`, `logNormaliser` and `logSum`.
 */
export function attendGraph({ headWidth, masked, plainKeys, summed, continues, continued, scoreCap }: AttendShape): Uint8Array {
  const g = new GraphBuilder('attend');
  const query = g.input('query', ['blocks', 'queries', headWidth]);
  const sumsIn = continues ? sumsInputs(g, headWidth) : undefined;
  let reference = sumsIn?.reference;
  let weighted = sumsIn?.weighted;
  let sum = sumsIn?.sum;
  masked.forEach((hasMask, index) => {
    const given = g.input(`key${index}`, [`tiles${index}`, 'M', plainKeys ? headWidth : headWidth + 1]);
    const key = plainKeys ? g.padEnd(given, 3, 2, 1, 1) : given;
    const value = g.input(`value${index}`, [`tiles${index}`, 'M', headWidth]);
    const inProduct = scoreCap === undefined ? reference : undefined;
    const last = inProduct === undefined ? g.padEnd(query, 3, 2, 1) : g.concat(2, query, g.negate(inProduct));
    const plain = g.matMul(last, g.transpose(key, [0, 2, 1]));
    const products = scoreCap === undefined ? plain : g.cap(plain, g.scalar(scoreCap));
    const scores = hasMask ? g.add(products, g.input(`mask${index}`, ['queries', 'M'])) : products;
    let weights: Value;
    if (reference === undefined) {
      reference = g.add(g.reduceMax(scores, -1), g.scalar(referenceMargin));
      weights = g.exp(g.subtract(scores, reference));
    } else {
      weights = g.exp(inProduct === undefined ? g.subtract(scores, reference) : scores);
    }
    const overTiles = (x: Value): Value => (summed && !hasMask ? g.reduceSum(x, 0) : x);
    const moreWeighted = overTiles(g.matMul(weights, value));
    const more = overTiles(g.reduceSum(weights, -1));
    weighted = weighted === undefined ? moreWeighted : g.add(weighted, moreWeighted);
    sum = sum === undefined ? more : g.add(sum, more);
  });
  if (reference === undefined || weighted === undefined || sum === undefined) {
    throw new RangeError('A graph of attention calls needs at least one stack of tiles.');
  }
  const column = ['blocks', 'queries', 1];
  if (continued) {
    g.output('reference', reference, column);
    g.output('weighted', weighted, ['blocks', 'queries', headWidth]);
    g.output('sum', sum, column);
  } else {
    const logSum = g.log(sum);
    g.output('out', g.divide(weighted, sum), ['rows', 'queries', headWidth]);
    g.output('logNormaliser', g.add(reference, logSum), ['rows', 'queries', 1]);
    g.output('logSum', logSum, ['rows', 'queries', 1]);
  }
  return g.build();
}

function sumsInputs(g: GraphBuilder, headWidth: number): Record<'reference' | 'weighted' | 'sum', Value> {
  return {
    reference: g.input('carriedReference', ['blocks', 'queries', 1]),
    weighted: g.input('carriedWeighted', ['blocks', 'queries', headWidth]),
    sum: g.input('carriedSum', ['blocks', 'queries', 1]),
  };
}

/** Scores to add to a tile's, `[M, M]`: 0 on visible pairs, `hiddenScore` on hidden and padded ones. @param mask its index */
export function maskScores(masks: TileMasks, mask: number): Float32Array {
  const { rows } = masks;
  const { starts, bounds } = masks.sight(mask);
  const scores = new Float32Array(rows * rows).fill(hiddenScore);
  for (let row = 0; row < rows; row += 1) {
    for (let at = starts[row]; at < starts[row + 1]; at += 2) {
      scores.fill(0, row * rows + bounds[at], row * rows + bounds[at + 1]);
    }
  }
  return scores;
}
