import type { Architecture } from '../read/model/architecture';
import type { HeadWeight } from '../read/model/weights';
import type { GraphBuilder, Value } from '../attend/onnx/graph-builder';
import { activate } from './activation';
import { normalise } from './norm';
import { affine, required, type WeightValues } from './weight-inputs';

/** The last residual stream `[rows, d]` to logits `[rows, vocabulary]`. */
export function logitsInto(g: GraphBuilder, architecture: Architecture, hidden: Value, weights: WeightValues<HeadWeight>): Value {
  const { norm, activation } = architecture;
  const { finalNormWeight, transformWeight } = weights;
  const normed = finalNormWeight === undefined ? hidden : normalise(g, norm, hidden, finalNormWeight, weights.finalNormBias);
  return affine(g, transformWeight === undefined ? normed : transformed(), weights, 'headWeight', 'headBias');

  /** One more layer, as masked language models have it: a matrix, the activation and a norm. */
  function transformed(): Value {
    const activated = activate(g, activation, affine(g, normed, weights, 'transformWeight', 'transformBias'));
    return normalise(g, norm, activated, required(weights, 'transformNormWeight'), weights.transformNormBias);
  }
}

/** Logits `[rows, vocabulary]` to natural logarithms of probabilities. From its parts: WebGPU has no kernel for LogSoftmax. */
export function logProbabilities(g: GraphBuilder, logits: Value): Value {
  const shifted = g.subtract(logits, g.reduceMax(logits, 1));
  return g.subtract(shifted, g.log(g.reduceSum(g.exp(shifted), 1)));
}
