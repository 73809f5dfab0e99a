import type { Architecture, ExpertChoice } from '../../read/model/architecture';
import type { GraphBuilder, Value } from '../onnx/graph-builder';
import type { Device } from '../runtime/provider';
import { hiddenScore } from './attend';

/** A feed-forward network as a part of a graph: `[any, d]` to `[any, d]`. */
type Network = (rows: Value) => Value;

/**
 * A mixture of experts (Shazeer et al., arXiv 1701.06538): each token goes through the networks of its `chosen` largest router
 * logits, and their outputs are added by weights. Of equal logits the expert with the lower number is chosen, as in llama.cpp;
 * torch.topk leaves that open.
 *
 * @param width d
 * @param x `[rows, d]`
 * @param logits of the router, `[rows, experts]`
 * @returns `[rows, d]`
 */
export function mixInto(g: GraphBuilder, choice: ExpertChoice, width: number, x: Value, logits: Value, experts: readonly Network[]): Value {
  return choice.everyToken === true ? weighed(g, choice, x, logits, experts) : grouped(g, choice, width, x, logits, experts);
}

/**
 * An architecture whose experts run as a device can run them: ONNX Runtime's WebGPU provider has no operators whose outputs are as
 * long as their inputs say, so that there every token goes through every expert.
 */
export function withExpertsOn<Of extends Pick<Architecture, 'experts'>>(architecture: Of, { provider }: Pick<Device, 'provider'>): Of {
  const { experts } = architecture;
  return provider === 'webgpu' && experts !== undefined ? { ...architecture, experts: { ...experts, everyToken: true } } : architecture;
}

/** Every network over every token, by a weight that is 0 where it was not chosen. */
function weighed(g: GraphBuilder, { chosen, weights }: ExpertChoice, x: Value, logits: Value, experts: readonly Network[]): Value {
  const order = g.floats(
    [1, experts.length],
    Float32Array.from(experts, (_, expert) => -expert),
  );
  let left = logits;
  let isChosen = g.scalar(0);
  for (let choice = 0; choice < chosen; choice += 1) {
    // Of the experts with the largest logit the first, by comparisons of floats: there is no cast of argMax's integers.
    const below = g.isAbove(g.reduceMax(left, 1), left);
    const first = g.reduceMax(g.add(order, g.multiply(below, g.scalar(hiddenScore))), 1);
    const best = g.subtract(g.scalar(1), g.add(g.isAbove(first, order), g.isAbove(order, first)));
    isChosen = g.add(isChosen, best);
    left = g.add(logits, g.multiply(isChosen, g.scalar(hiddenScore)));
  }
  const shares =
    weights === 'of-all'
      ? g.multiply(g.softmax(logits), isChosen)
      : g.softmax(g.add(logits, g.multiply(g.subtract(g.scalar(1), isChosen), g.scalar(hiddenScore))));
  return experts
    .map((network, expert) => g.multiply(network(x), g.slice(shares, 1, expert, expert + 1)))
    .reduce((sum, output) => g.add(sum, output));
}

/** Tokens grouped by expert: each network runs over the tokens that chose it, and one that nobody chose over none. */
function grouped(
  g: GraphBuilder,
  { chosen, weights }: ExpertChoice,
  width: number,
  x: Value,
  logits: Value,
  experts: readonly Network[],
): Value {
  const [best, indices] = g.topK(logits, chosen);
  const shares = weights === 'of-chosen' ? g.softmax(best) : g.gatherElements(g.softmax(logits), indices, 1);
  // A place is one choice of one token: token t has the places from t * chosen on.
  const expertOf = g.reshape(indices, [-1]);
  const groups = experts.map((network, expert) => {
    const places = g.placesOf(expertOf, expert);
    return { places, outputs: network(g.gather(x, g.divideIndices(places, chosen), 0)) };
  });
  const outputsByGroup = g.concat(0, ...groups.map(({ outputs }) => outputs));
  const places = g.concat(0, ...groups.map((group) => group.places));
  // Every row of the first operand is replaced.
  const outputs = g.reshape(g.scatterRows(outputsByGroup, places, outputsByGroup), [-1, chosen, width]);
  return g.reshape(g.reduceSum(g.multiply(outputs, g.reshape(shares, [-1, chosen, 1])), 1), [-1, width]);
}
