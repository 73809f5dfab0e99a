import { GraphBuilder } from '../onnx/graph-builder';

/** What a graph of dense attention depends on. */
export interface DenseShape {
  /** m. */
  readonly headWidth: number;
  /** c, where scores s are bent to `c tanh(s / c)`. */
  readonly scoreCap?: number | undefined;
  /** Whether each head has a learned sink: one more key, whose value is 0. */
  readonly sinks: boolean;
}

/**
 * Dense attention of some query rows of the heads that share a key-value head, by ONNX Runtime's own softmax: no tiles, no
 * reference scores, no merges.
 *
 * Inputs: `query` `[group, rows, m]`, scaled by 1/sqrt(m); `key` and `value` `[keys, m]`; `mask` `[rows, keys]`, added to the
 * scores; with sinks `sink` `[group, rows, 1]`, their scores. Output: `out` `[group, rows, m]`.
 */
export function denseSliceGraph({ headWidth, scoreCap, sinks }: DenseShape): Uint8Array {
  const g = new GraphBuilder('dense-slice');
  const query = g.input('query', ['group', 'rows', headWidth]);
  const key = g.input('key', ['keys', headWidth]);
  const value = g.input('value', ['keys', headWidth]);
  const mask = g.input('mask', ['rows', 'keys']);
  const products = g.matMul(query, g.transpose(key, [1, 0]));
  const scores = g.add(scoreCap === undefined ? products : g.cap(products, g.scalar(scoreCap)), mask);
  const out = sinks
    ? g.matMul(g.softmax(g.concat(2, scores, g.input('sink', ['group', 'rows', 1]))), g.padEnd(value, 2, 0, 1))
    : g.matMul(g.softmax(scores), value);
  g.output('out', out, ['group', 'rows', headWidth]);
  return g.build();
}
