import type { ModelShape } from '../../core/shapes';
import { GraphBuilder, type Value } from '../onnx/graph-builder';
import { rmsNorm } from './rms-norm';

/** What a layer's projections read, as values of a graph: weights `[out, in]`, `cos` and `sin` `[rows, m]`. */
export type ProjectInputs = Readonly<Record<'hidden' | 'norm' | 'queryWeight' | 'keyWeight' | 'valueWeight' | 'cos' | 'sin', Value>>;

/** Queries `[H, rows, m]`, scaled by 1/sqrt(m), keys and values `[H_kv, rows, m]`, rotary position embedding included. */
export function projectInto(g: GraphBuilder, { heads, keyValueHeads, headWidth }: ModelShape, normEpsilon: number, inputs: ProjectInputs): Record<'query' | 'key' | 'value', Value> {
  const { hidden, norm, queryWeight, keyWeight, valueWeight, cos, sin } = inputs;
  const normed = rmsNorm(g, hidden, norm, normEpsilon);
  const perHead = (weight: Value, count: number): Value =>
    g.transpose(g.reshape(g.linear(normed, weight), [-1, count, headWidth]), [1, 0, 2]);
  const rotate = (x: Value): Value => {
    const low = g.slice(x, 2, 0, headWidth / 2);
    const high = g.slice(x, 2, headWidth / 2, headWidth);
    return g.add(g.multiply(x, cos), g.multiply(g.concat(2, g.negate(high), low), sin));
  };
  return {
    query: g.multiply(rotate(perHead(queryWeight, heads)), g.scalar(1 / Math.sqrt(headWidth))),
    key: rotate(perHead(keyWeight, keyValueHeads)),
    value: perHead(valueWeight, keyValueHeads),
  };
}

/**
 * A token-wise call: residual stream to queries, keys and values, rotary position embedding included.
 *
 * Inputs: `hidden` `[rows, d]`, `norm` `[d]`, `queryWeight` `[H m, d]`, `keyWeight` and `valueWeight` `[H_kv m, d]`,
 * `cos` and `sin` `[rows, m]`. Outputs: `query` `[H, rows, m]`, scaled by 1/sqrt(m), `key` and `value` `[H_kv, rows, m]`.
 */
export function projectGraph(shape: ModelShape, normEpsilon: number): Uint8Array {
  const { width, headWidth, heads, keyValueHeads } = shape;
  const g = new GraphBuilder('project');
  const projected = projectInto(g, shape, normEpsilon, {
    hidden: g.input('hidden', ['rows', width]),
    norm: g.input('norm', [width]),
    queryWeight: g.input('queryWeight', [heads * headWidth, width]),
    keyWeight: g.input('keyWeight', [keyValueHeads * headWidth, width]),
    valueWeight: g.input('valueWeight', [keyValueHeads * headWidth, width]),
    cos: g.input('cos', ['rows', headWidth]),
    sin: g.input('sin', ['rows', headWidth]),
  });
  g.output('query', projected.query, [heads, 'rows', headWidth]);
  g.output('key', projected.key, [keyValueHeads, 'rows', headWidth]);
  g.output('value', projected.value, [keyValueHeads, 'rows', headWidth]);
  return g.build();
}
