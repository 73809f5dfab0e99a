import { GraphBuilder } from '../onnx/graph-builder';

/**
 * Added to the score of a hidden pair. Finite, because a row of infinities is NaN on some providers; far below any score
 * of real tensors, so that no visible pair is lost.
 */
export const hiddenScore = -1e30;

/** A log-normaliser at or below this belongs to a row whose keys were all hidden: such a row is the empty state. */
export const emptyLogNormaliser = hiddenScore / 2;

/**
 * The small transformer's attention over a batch of tiles, with its log-normaliser.
 *
 * Inputs: `query`, `key`, `value` `[calls, H'L', M, m]` (queries already scaled), and with `masked` a `mask`
 * `[calls, 1 or H'L', M, M]` that is added to the scores. Outputs: `out` `[calls, H'L', M, m]` and
 * `logNormaliser` `[calls, H'L', M, 1]`, natural logarithm. The maximum is taken out before exponentiation.
 */
export function attendGraph(headWidth: number, masked: boolean): Uint8Array {
  const g = new GraphBuilder('attend');
  const operand = ['calls', 'instances', 'M', headWidth];
  const query = g.input('query', operand);
  const key = g.input('key', operand);
  const value = g.input('value', operand);

  const products = g.matMul(query, g.transpose(key, [0, 1, 3, 2]));
  const scores = masked ? g.add(products, g.input('mask', ['calls', 'maskInstances', 'M', 'M'])) : products;
  const high = g.reduceMax(scores, -1);
  const weights = g.exp(g.subtract(scores, high));
  const sum = g.reduceSum(weights, -1);

  g.output('out', g.divide(g.matMul(weights, value), sum), operand);
  g.output('logNormaliser', g.add(high, g.log(sum)), ['calls', 'instances', 'M', 1]);
  return g.build();
}
