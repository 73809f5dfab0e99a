import type { ModelShape } from '../../core/shapes';
import { GraphBuilder, type Value } from '../onnx/graph-builder';
import { rmsNorm } from './rms-norm';

/**
 * A token-wise call: residual stream to queries, keys and values, rotary position embedding included.
 *
 * Inputs: `hidden` `[rows, d]`, `norm` `[d]`, `queryWeight` `[H m, d]`, `keyWeight` and `valueWeight` `[H_kv m, d]`,
 * `cos` and `sin` `[rows, m]`. Outputs: `query` `[H, rows, m]`, scaled by 1/sqrt(m), `key` and `value` `[H_kv, rows, m]`.
 */
export function projectGraph(shape: ModelShape, normEpsilon: number): Uint8Array {
  const { width, headWidth, heads, keyValueHeads } = shape;
  const g = new GraphBuilder('project');
  const hidden = g.input('hidden', ['rows', width]);
  const norm = g.input('norm', [width]);
  const queryWeight = g.input('queryWeight', [heads * headWidth, width]);
  const keyWeight = g.input('keyWeight', [keyValueHeads * headWidth, width]);
  const valueWeight = g.input('valueWeight', [keyValueHeads * headWidth, width]);
  const cos = g.input('cos', ['rows', headWidth]);
  const sin = g.input('sin', ['rows', headWidth]);

  const normed = rmsNorm(g, hidden, norm, normEpsilon);
  const perHead = (weight: Value, count: number): Value =>
    g.transpose(g.reshape(g.linear(normed, weight), [-1, count, headWidth]), [1, 0, 2]);
  const rotate = (x: Value): Value => {
    const low = g.slice(x, 2, 0, headWidth / 2);
    const high = g.slice(x, 2, headWidth / 2, headWidth);
    return g.add(g.multiply(x, cos), g.multiply(g.concat(2, g.negate(high), low), sin));
  };

  const scale = g.scalar(1 / Math.sqrt(headWidth));
  g.output('query', g.multiply(rotate(perHead(queryWeight, heads)), scale), [heads, 'rows', headWidth]);
  g.output('key', rotate(perHead(keyWeight, keyValueHeads)), [keyValueHeads, 'rows', headWidth]);
  g.output('value', perHead(valueWeight, keyValueHeads), [keyValueHeads, 'rows', headWidth]);
  return g.build();
}
