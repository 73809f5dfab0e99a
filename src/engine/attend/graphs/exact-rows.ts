import { GraphBuilder } from '../onnx/graph-builder';

/** `exp` of it, and of its negative, is an ordinary float64, and so is the sum of any number of them. */
export const largestExponent = 600;

/**
 * Attention of some rows of one head in float64, which checks what was computed in float32.
 *
 * Inputs in float64: `query` `[rows, m]`, `key` and `value` `[keys, m]`, and `mask` `[rows, keys]`, 0 for the visible pairs and
 * `hiddenScore` for the others. Outputs in float64: `out` `[rows, m]` and `logNormaliser` `[rows, 1]`, and if asked for
 * `spread` `[rows, 1]`, how far the highest of all scores lies above the lowest of a visible pair.
 *
 * @param scoreCap c, where scores s are bent to `c tanh(s / c)`
 * @param spread whether to find the spread: it takes a third longer
 * @param small whether no score is beyond `largestExponent` in size, so that `exp` of each is a number: the highest one need not be
 *   found and subtracted first
 */
export function exactRowsGraph(headWidth: number, scoreCap: number | undefined, spread: boolean, small: boolean): Uint8Array {
  const g = new GraphBuilder('exact-rows');
  const query = g.input('query', ['rows', headWidth], 'float64');
  const key = g.input('key', ['keys', headWidth], 'float64');
  const value = g.input('value', ['keys', headWidth], 'float64');
  const mask = g.input('mask', ['rows', 'keys'], 'float64');
  const plain = g.linear(query, key);
  const scores = scoreCap === undefined ? plain : g.cap(plain, g.cast(g.scalar(scoreCap), 'float64'));
  const masked = g.add(scores, mask);
  const high = small ? undefined : g.reduceMax(masked, -1);
  const weights = g.exp(high === undefined ? masked : g.subtract(masked, high));
  const sum = g.reduceSum(weights, -1);
  const logSum = g.log(sum);
  g.output('out', g.divide(g.matMul(weights, value), sum), ['rows', headWidth], 'float64');
  g.output('logNormaliser', high === undefined ? logSum : g.add(high, logSum), ['rows', 1], 'float64');
  if (spread) {
    const low = g.negate(g.reduceMax(g.subtract(mask, scores), -1));
    g.output('spread', g.subtract(g.reduceMax(scores, -1), low), ['rows', 1], 'float64');
  }
  return g.build();
}
