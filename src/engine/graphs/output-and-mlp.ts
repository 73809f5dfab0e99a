import type { ModelShape } from '../../core/shapes';
import { GraphBuilder, type Value } from '../onnx/graph-builder';
import { rmsNorm } from './rms-norm';

/** What a layer's second half reads, as values of a graph: weights `[out, in]`, `attended` `[H, rows, m]`. */
export type OutputAndMlpInputs = Readonly<Record<'hidden' | 'attended' | 'outputWeight' | 'norm' | 'gateWeight' | 'upWeight' | 'downWeight', Value>>;

/** Attention outputs back into the residual stream, then the gated feed-forward network (SwiGLU): `[rows, d]`. */
export function outputAndMlpInto(g: GraphBuilder, { heads, headWidth }: ModelShape, normEpsilon: number, inputs: OutputAndMlpInputs): Value {
  const { hidden, attended, outputWeight, norm, gateWeight, upWeight, downWeight } = inputs;
  const joined = g.reshape(g.transpose(attended, [1, 0, 2]), [-1, heads * headWidth]);
  const residual = g.add(hidden, g.linear(joined, outputWeight));
  const normed = rmsNorm(g, residual, norm, normEpsilon);
  const gate = g.linear(normed, gateWeight);
  const activated = g.multiply(g.multiply(gate, g.sigmoid(gate)), g.linear(normed, upWeight));
  return g.add(residual, g.linear(activated, downWeight));
}

/**
 * A token-wise call: attention outputs back into the residual stream, then the gated feed-forward network (SwiGLU).
 *
 * Inputs: `hidden` `[rows, d]`, `attended` `[H, rows, m]`, `outputWeight` `[d, H m]`, `norm` `[d]`, `gateWeight` and
 * `upWeight` `[f, d]`, `downWeight` `[d, f]`. Output: `next` `[rows, d]`.
 */
export function outputAndMlpGraph(shape: ModelShape, normEpsilon: number): Uint8Array {
  const { width, headWidth, heads, feedForwardWidth } = shape;
  const g = new GraphBuilder('output-and-mlp');
  const next = outputAndMlpInto(g, shape, normEpsilon, {
    hidden: g.input('hidden', ['rows', width]),
    attended: g.input('attended', [heads, 'rows', headWidth]),
    outputWeight: g.input('outputWeight', [width, heads * headWidth]),
    norm: g.input('norm', [width]),
    gateWeight: g.input('gateWeight', [feedForwardWidth, width]),
    upWeight: g.input('upWeight', [feedForwardWidth, width]),
    downWeight: g.input('downWeight', [width, feedForwardWidth]),
  });
  g.output('next', next, ['rows', width]);
  return g.build();
}
