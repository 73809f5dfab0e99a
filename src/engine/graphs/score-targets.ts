import type { Architecture } from '../read/model/architecture';
import type { HeadWeight, WeightShapes } from '../read/model/weights';
import { GraphBuilder } from '../attend/onnx/graph-builder';
import { logitsInto, logProbabilities } from './head';
import { weightInputs } from './weight-inputs';

/**
 * How well rows predict given tokens.
 *
 * Inputs: `hidden` `[rows, d]`, the head's weights by name, `target` `[rows, 1]` int64. Outputs `[rows, 1]`: `loss` (negative
 * log-likelihood in nats) and `above` (tokens that are more likely than the target).
 */
export function scoreTargetsGraph(architecture: Architecture, head: WeightShapes<HeadWeight>): Uint8Array {
  const g = new GraphBuilder('score-targets');
  const hidden = g.input('hidden', ['rows', architecture.shape.width]);
  const logs = logProbabilities(g, logitsInto(g, architecture, hidden, weightInputs(g, head)));
  const own = g.gatherElements(logs, g.input('target', ['rows', 1], 'int64'), 1);
  g.output('loss', g.negate(own), ['rows', 1]);
  g.output('above', g.reduceSum(g.isAbove(logs, own), 1), ['rows', 1]);
  return g.build();
}

/** Inputs: `hidden` `[rows, d]`, the head's weights by name. Output: `logits` `[rows, vocabulary]`. */
export function logitsGraph(architecture: Architecture, head: WeightShapes<HeadWeight>): Uint8Array {
  const { width, vocabulary } = architecture.shape;
  const g = new GraphBuilder('logits');
  const hidden = g.input('hidden', ['rows', width]);
  g.output('logits', logitsInto(g, architecture, hidden, weightInputs(g, head)), ['rows', vocabulary]);
  return g.build();
}
