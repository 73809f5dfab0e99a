import type { GraphBuilder, Value } from '../onnx/graph-builder';

/** Root-mean-square normalisation over the last axis: `x / sqrt(mean(x^2) + epsilon) * weight`. */
export function rmsNorm(g: GraphBuilder, x: Value, weight: Value, epsilon: number): Value {
  const meanSquare = g.reduceMean(g.multiply(x, x), -1);
  return g.multiply(g.divide(x, g.sqrt(g.add(meanSquare, g.scalar(epsilon)))), weight);
}
