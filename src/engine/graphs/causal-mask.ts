import type { GraphBuilder, Value } from '../attend/onnx/graph-builder';
import { hiddenScore } from '../attend/graphs/attend';

/** `[rows, rows]`: 0 up to the diagonal, `hiddenScore` or less after it; folded into a constant when the graph is loaded. */
export function causalMask(g: GraphBuilder, rows: number): Value {
  const positions = Float32Array.from({ length: rows }, (_, row) => row);
  const ahead = g.subtract(g.floats([1, rows], positions), g.floats([rows, 1], positions));
  return g.multiply(g.relu(ahead), g.scalar(hiddenScore));
}
