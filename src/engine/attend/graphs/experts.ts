import type { ExpertChoice } from '../../read/model/architecture';
import type { GraphBuilder, Value } from '../onnx/graph-builder';

/**
 * A mixture of experts (Shazeer et al., arXiv 1701.06538): each token goes through the networks of its `chosen` largest router
 * logits, and their outputs are added by weights.
 *
 * Tokens are grouped by expert, so each network runs over the tokens that chose it and over no others; a network that nobody
 * chose runs over none. Of equal logits the expert with the lower number is chosen, as in llama.cpp; torch.topk leaves that open.
 *
 * @param width d
 * @param x `[rows, d]`
 * @param logits of the router, `[rows, experts]`
 * @param experts each makes `[any, d]` of `[any, d]`
 * @returns `[rows, d]`
 */
export function mixInto(
  g: GraphBuilder,
  { chosen, weights }: ExpertChoice,
  width: number,
  x: Value,
  logits: Value,
  experts: readonly ((rows: Value) => Value)[],
): Value {
  const [best, indices] = g.topK(logits, chosen);
  const shares = weights === 'of-chosen' ? g.softmax(best) : g.gatherElements(g.softmax(logits), indices, 1);
  // A place is one choice of one token: token t has the places from t * chosen on.
  const expertOf = g.reshape(indices, [-1]);
  const groups = experts.map((network, expert) => {
    const places = g.placesOf(expertOf, expert);
    return { places, outputs: network(g.gather(x, g.divideIndices(places, chosen), 0)) };
  });
  const grouped = g.concat(0, ...groups.map(({ outputs }) => outputs));
  const places = g.concat(0, ...groups.map((group) => group.places));
  // Every row of the first operand is replaced.
  const outputs = g.reshape(g.scatterRows(grouped, places, grouped), [-1, chosen, width]);
  return g.reshape(g.reduceSum(g.multiply(outputs, g.reshape(shares, [-1, chosen, 1])), 1), [-1, width]);
}
