import { GraphBuilder } from '../onnx/graph-builder';

/**
 * Scores of some rows of one head in float64.
 *
 * Inputs in float64: `query` `[rows, m]` and `key` `[keys, m]`. Output in float64: `scores` `[rows, keys]`.
 *
 * @param scoreCap c, where scores s are bent to `c tanh(s / c)`
 */
export function exactScoresGraph(headWidth: number, scoreCap: number | undefined): Uint8Array {
  const g = new GraphBuilder('exact-scores');
  const plain = g.linear(g.input('query', ['rows', headWidth], 'float64'), g.input('key', ['keys', headWidth], 'float64'));
  const scores = scoreCap === undefined ? plain : g.cap(plain, g.cast(g.scalar(scoreCap), 'float64'));
  g.output('scores', scores, ['rows', 'keys'], 'float64');
  return g.build();
}

/** Sums of values in float64: `weights` `[rows, keys]` and `value` `[keys, m]` give `sums` `[rows, m]`. */
export function exactSumsGraph(headWidth: number): Uint8Array {
  const g = new GraphBuilder('exact-sums');
  const sums = g.matMul(g.input('weights', ['rows', 'keys'], 'float64'), g.input('value', ['keys', headWidth], 'float64'));
  g.output('sums', sums, ['rows', headWidth], 'float64');
  return g.build();
}
