import type { ModelShape } from '../../core/shapes';
import { GraphBuilder } from '../onnx/graph-builder';
import { rmsNorm } from './rms-norm';

/**
 * A token-wise call: attention outputs back into the residual stream, then the gated feed-forward network (SwiGLU).
 *
 * Inputs: `hidden` `[rows, d]`, `attended` `[H, rows, m]`, `outputWeight` `[d, H m]`, `norm` `[d]`, `gateWeight` and
 * `upWeight` `[f, d]`, `downWeight` `[d, f]`. Output: `next` `[rows, d]`.
 */
export function outputAndMlpGraph(shape: ModelShape, normEpsilon: number): Uint8Array {
  const { width, headWidth, heads, feedForwardWidth } = shape;
  const g = new GraphBuilder('output-and-mlp');
  const hidden = g.input('hidden', ['rows', width]);
  const attended = g.input('attended', [heads, 'rows', headWidth]);
  const outputWeight = g.input('outputWeight', [width, heads * headWidth]);
  const norm = g.input('norm', [width]);
  const gateWeight = g.input('gateWeight', [feedForwardWidth, width]);
  const upWeight = g.input('upWeight', [feedForwardWidth, width]);
  const downWeight = g.input('downWeight', [width, feedForwardWidth]);

  const joined = g.reshape(g.transpose(attended, [1, 0, 2]), [-1, heads * headWidth]);
  const residual = g.add(hidden, g.linear(joined, outputWeight));
  const normed = rmsNorm(g, residual, norm, normEpsilon);
  const gate = g.linear(normed, gateWeight);
  const activated = g.multiply(g.multiply(gate, g.sigmoid(gate)), g.linear(normed, upWeight));
  g.output('next', g.add(residual, g.linear(activated, downWeight)), ['rows', width]);
  return g.build();
}
