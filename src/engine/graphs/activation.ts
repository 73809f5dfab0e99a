import type { Activation } from '../read/model/architecture';
import type { GraphBuilder, Value } from '../attend/onnx/graph-builder';

/** The activation of a feed-forward network, element by element (Hendrycks and Gimpel, arXiv 1606.08415, for both kinds of GELU). */
export function activate(g: GraphBuilder, activation: Activation, x: Value): Value {
  switch (activation) {
    case 'relu':
      return g.relu(x);
    case 'silu':
      return g.multiply(x, g.sigmoid(x));
    case 'gelu':
      return g.multiply(x, half(g, g.erf(g.multiply(x, g.scalar(Math.SQRT1_2)))));
    case 'gelu-tanh': {
      const cube = g.multiply(g.multiply(x, x), x);
      const inner = g.multiply(g.add(x, g.multiply(cube, g.scalar(0.044715))), g.scalar(Math.sqrt(2 / Math.PI)));
      return g.multiply(x, half(g, g.tanh(inner)));
    }
  }
}

/** `(1 + x) / 2`. */
function half(g: GraphBuilder, x: Value): Value {
  return g.multiply(g.add(x, g.scalar(1)), g.scalar(0.5));
}
