import type { Norm } from '../read/model/architecture';
import type { GraphBuilder, Value } from '../attend/onnx/graph-builder';

/**
 * Normalisation over the last axis: `x / sqrt(mean(x^2) + epsilon) * weight`, and for a layer norm of x less its mean, plus a
 * bias where there is one (Ba et al., arXiv 1607.06450; Zhang and Sennrich, arXiv 1910.07467).
 */
export function normalise(g: GraphBuilder, { kind, epsilon }: Norm, x: Value, weight: Value, bias?: Value): Value {
  const centred = kind === 'rms' ? x : g.subtract(x, g.reduceMean(x, -1));
  const meanSquare = g.reduceMean(g.multiply(centred, centred), -1);
  const scaled = g.multiply(g.divide(centred, g.sqrt(g.add(meanSquare, g.scalar(epsilon)))), weight);
  return bias === undefined ? scaled : g.add(scaled, bias);
}
