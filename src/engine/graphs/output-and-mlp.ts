import type { Architecture } from '../read/model/architecture';
import type { OutputAndMlpWeight, WeightShapes } from '../read/model/weights';
import { GraphBuilder, type Value } from '../attend/onnx/graph-builder';
import { activate } from './activation';
import { normalise } from './norm';
import { affine, required, weightInputs, type WeightValues } from './weight-inputs';

/** Attention outputs `[H, rows, m]` back into the residual stream, then the feed-forward network: `[rows, d]`. */
export function outputAndMlpInto(
  g: GraphBuilder,
  architecture: Architecture,
  hidden: Value,
  attended: Value,
  weights: WeightValues<OutputAndMlpWeight>,
): Value {
  const { shape, norm, normPlacement } = architecture;
  const joined = g.reshape(g.transpose(attended, [1, 0, 2]), [-1, shape.heads * shape.headWidth]);
  const residual = g.add(hidden, affine(g, joined, weights, 'outputWeight', 'outputBias'));
  const normMlp = (x: Value): Value => normalise(g, norm, x, required(weights, 'mlpNormWeight'), weights.mlpNormBias);
  if (normPlacement === 'after') {
    const normed = normalise(g, norm, residual, required(weights, 'attentionNormWeight'), weights.attentionNormBias);
    return normMlp(g.add(normed, feedForward(g, architecture, normed, weights)));
  }
  return g.add(residual, feedForward(g, architecture, normMlp(residual), weights));
}

/** Two matrices with an activation between them, or three where a gate multiplies what is between (Shazeer, arXiv 2002.05202). */
function feedForward(g: GraphBuilder, { shape, activation }: Architecture, x: Value, weights: WeightValues<OutputAndMlpWeight>): Value {
  const up = affine(g, x, weights, 'upWeight', 'upBias');
  const inner =
    shape.feedForward === 'plain'
      ? activate(g, activation, up)
      : g.multiply(activate(g, activation, affine(g, x, weights, 'gateWeight', 'gateBias')), up);
  return affine(g, inner, weights, 'downWeight', 'downBias');
}

/**
 * A token-wise call: attention outputs back into the residual stream, then the feed-forward network.
 *
 * Inputs: `hidden` `[rows, d]`, `attended` `[H, rows, m]`, the weights by name. Output: `next` `[rows, d]`.
 */
export function outputAndMlpGraph(architecture: Architecture, weights: WeightShapes<OutputAndMlpWeight>): Uint8Array {
  const { width, headWidth, heads } = architecture.shape;
  const g = new GraphBuilder('output-and-mlp');
  const hidden = g.input('hidden', ['rows', width]);
  const attended = g.input('attended', [heads, 'rows', headWidth]);
  g.output('next', outputAndMlpInto(g, architecture, hidden, attended, weightInputs(g, weights)), ['rows', width]);
  return g.build();
}
