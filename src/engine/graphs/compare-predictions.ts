import type { ModelShape } from '../../core/shapes';
import { GraphBuilder, type Value } from '../onnx/graph-builder';
import { rmsNorm } from './rms-norm';

/**
 * Next-token distributions of two runs, compared row by row without the logits ever leaving the graph.
 *
 * Inputs: `hidden` and `baseline` `[rows, d]` (last layer's residual streams), `norm` `[d]`, `head` `[vocabulary, d]`,
 * `target` `[rows, 1]` int64. Outputs `[rows, 1]`: `loss` and `baselineLoss` (negative log-likelihood of the target in
 * nats) and `divergence` (KL(baseline || hidden) in nats).
 */
export function comparePredictionsGraph(shape: ModelShape, normEpsilon: number): Uint8Array {
  const { width, vocabulary } = shape;
  const g = new GraphBuilder('compare-predictions');
  const hidden = g.input('hidden', ['rows', width]);
  const baseline = g.input('baseline', ['rows', width]);
  const norm = g.input('norm', [width]);
  const head = g.input('head', [vocabulary, width]);
  const target = g.input('target', ['rows', 1], 'int64');

  // LogSoftmax from its parts: WebGPU has no kernel for it.
  const logProbabilities = (x: Value): Value => {
    const logits = g.linear(rmsNorm(g, x, norm, normEpsilon), head);
    const shifted = g.subtract(logits, g.reduceMax(logits, 1));
    return g.subtract(shifted, g.log(g.reduceSum(g.exp(shifted), 1)));
  };
  const predicted = logProbabilities(hidden);
  const expected = logProbabilities(baseline);
  g.output('loss', g.negate(g.gatherElements(predicted, target, 1)), ['rows', 1]);
  g.output('baselineLoss', g.negate(g.gatherElements(expected, target, 1)), ['rows', 1]);
  const weighted = g.multiply(g.exp(expected), g.subtract(expected, predicted));
  g.output('divergence', g.reduceSum(weighted, 1), ['rows', 1]);
  return g.build();
}
