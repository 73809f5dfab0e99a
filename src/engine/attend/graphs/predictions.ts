import type { Architecture } from '../../read/model/architecture';
import type { HeadWeight } from '../../read/model/weights';
import { type Graph, GraphBuilder, type Value } from '../onnx/graph-builder';
import { type GivenWeights, weightValues } from './linear';
import { logitsInto, logProbabilities } from './tokenwise';

/**
 * How well rows predict given tokens.
 *
 * Inputs: `hidden` `[rows, d]`, the head's weights by name, `target` `[rows, 1]` int64. Outputs `[rows, 1]`: `loss`
 * (negative log-likelihood in nats) and `above` (number of tokens that are more likely than the target).
 */
export function scoreTargetsGraph(architecture: Architecture, head: GivenWeights<HeadWeight>): Graph {
  const g = new GraphBuilder('score-targets');
  const hidden = g.input('hidden', ['rows', architecture.shape.width]);
  const logs = logProbabilities(g, logitsInto(g, architecture, hidden, weightValues(g, head)));
  const own = g.gatherElements(logs, g.input('target', ['rows', 1], 'int64'), 1);
  g.output('loss', g.negate(own), ['rows', 1]);
  g.output('above', g.reduceSum(g.isAbove(logs, own), 1), ['rows', 1]);
  return g.buildApart();
}

/** Inputs: `hidden` `[rows, d]`, the head's weights by name. Output: `logits` `[rows, vocabulary]`. */
export function logitsGraph(architecture: Architecture, head: GivenWeights<HeadWeight>): Graph {
  const { width, vocabulary } = architecture.shape;
  const g = new GraphBuilder('logits');
  const hidden = g.input('hidden', ['rows', width]);
  g.output('logits', logitsInto(g, architecture, hidden, weightValues(g, head)), ['rows', vocabulary]);
  return g.buildApart();
}

/**
 * Compares the distributions of two runs row by row; the logits never leave the graph.
 *
 * Inputs: `hidden` and `baseline` `[rows, d]` (last layer's residual streams), the head's weights by name, and with
 * `targets` also `target` `[rows, 1]` int64. Outputs `[rows, 1]`: `divergence` (KL(baseline || hidden) in nats), `margin`
 * (0 if both have the same most likely token, else the run's log-probability of the baseline's token minus that of its own,
 * in nats, negative), and with `targets` `loss` and `baselineLoss` (negative log-likelihood of the target in nats).
 */
export function comparePredictionsGraph(architecture: Architecture, head: GivenWeights<HeadWeight>, targets: boolean): Graph {
  const { width } = architecture.shape;
  const g = new GraphBuilder('compare-predictions');
  const hidden = g.input('hidden', ['rows', width]);
  const baseline = g.input('baseline', ['rows', width]);
  const weights = weightValues(g, head);
  const predicted = logProbabilities(g, logitsInto(g, architecture, hidden, weights));
  const expected = logProbabilities(g, logitsInto(g, architecture, baseline, weights));
  // The sum of p (ln p - ln q) - p + q, where p - q is (p + q) tanh((ln p - ln q) / 2): no term is below 0, and those of logarithms
  // that differ by rounding are its square.
  const difference = g.subtract(expected, predicted);
  const bent = g.tanh(g.multiply(difference, g.scalar(0.5)));
  const ofExpected = g.reduceSum(g.multiply(g.exp(expected), g.subtract(difference, bent)), 1);
  g.output('divergence', g.subtract(ofExpected, g.reduceSum(g.multiply(g.exp(predicted), bent), 1)), ['rows', 1]);
  const ofBaseline = g.gatherElements(predicted, g.argMax(expected, 1), 1);
  g.output('margin', g.subtract(ofBaseline, g.reduceMax(predicted, 1)), ['rows', 1]);
  if (targets) {
    const target = g.input('target', ['rows', 1], 'int64');
    const loss = (logs: Value): Value => g.negate(g.gatherElements(logs, target, 1));
    g.output('loss', loss(predicted), ['rows', 1]);
    g.output('baselineLoss', loss(expected), ['rows', 1]);
  }
  return g.buildApart();
}
