import type { Architecture } from '../../read/model/architecture';
import type { ProjectWeight, WeightShapes } from '../../read/model/weights';
import { GraphBuilder, type Value } from '../onnx/graph-builder';
import { normalise } from '../../graphs/norm';
import { affine, weightInputs, type WeightValues } from '../../graphs/weight-inputs';

/** Cosines and sines of the rotary position embedding as values of a graph, `[rows, m]`. */
export type RotaryValues = Readonly<Record<'cos' | 'sin', Value>>;

/**
 * Queries `[H, rows, m]`, scaled by 1/sqrt(m), keys and values `[H_kv, rows, m]` of a residual stream `[rows, d]`.
 *
 * @param rotary absent where positions are learned
 */
export function projectInto(
  g: GraphBuilder,
  { shape, norm, normPlacement }: Architecture,
  hidden: Value,
  weights: WeightValues<ProjectWeight>,
  rotary: RotaryValues | undefined,
): Record<'query' | 'key' | 'value', Value> {
  const { heads, keyValueHeads, headWidth } = shape;
  // A norm after the other half leaves nothing to do here; a first layer may go by the embedding's.
  const normed =
    normPlacement === 'before' && weights.attentionNormWeight !== undefined
      ? normalise(g, norm, hidden, weights.attentionNormWeight, weights.attentionNormBias)
      : hidden;
  const perHead = (weight: ProjectWeight, bias: ProjectWeight, count: number): Value =>
    g.transpose(g.reshape(affine(g, normed, weights, weight, bias), [-1, count, headWidth]), [1, 0, 2]);
  const normHead = (x: Value, weight: Value | undefined): Value => (weight === undefined ? x : normalise(g, norm, x, weight));
  const rotate = (x: Value): Value => (rotary === undefined ? x : rotateHalves(g, x, headWidth, rotary));
  return {
    query: g.multiply(
      rotate(normHead(perHead('queryWeight', 'queryBias', heads), weights.queryNormWeight)),
      g.scalar(1 / Math.sqrt(headWidth)),
    ),
    key: rotate(normHead(perHead('keyWeight', 'keyBias', keyValueHeads), weights.keyNormWeight)),
    value: perHead('valueWeight', 'valueBias', keyValueHeads),
  };
}

/** Column i and column i + m/2 as a pair that is turned by the position's angle. */
function rotateHalves(g: GraphBuilder, x: Value, headWidth: number, { cos, sin }: RotaryValues): Value {
  const low = g.slice(x, 2, 0, headWidth / 2);
  const high = g.slice(x, 2, headWidth / 2, headWidth);
  return g.add(g.multiply(x, cos), g.multiply(g.concat(2, g.negate(high), low), sin));
}

/**
 * A token-wise call: residual stream to queries, keys and values.
 *
 * Inputs: `hidden` `[rows, d]`, the weights by name, and where the layer rotates `cos` and `sin` `[rows, m]`. Outputs: `query`
 * `[H, rows, m]`, scaled by 1/sqrt(m), `key` and `value` `[H_kv, rows, m]`.
 */
export function projectGraph(architecture: Architecture, weights: WeightShapes<ProjectWeight>, rotates: boolean): Uint8Array {
  const { width, headWidth, heads, keyValueHeads } = architecture.shape;
  const g = new GraphBuilder('project');
  const hidden = g.input('hidden', ['rows', width]);
  const values = weightInputs(g, weights);
  const rotary = rotates ? { cos: g.input('cos', ['rows', headWidth]), sin: g.input('sin', ['rows', headWidth]) } : undefined;
  const projected = projectInto(g, architecture, hidden, values, rotary);
  g.output('query', projected.query, [heads, 'rows', headWidth]);
  g.output('key', projected.key, [keyValueHeads, 'rows', headWidth]);
  g.output('value', projected.value, [keyValueHeads, 'rows', headWidth]);
  return g.build();
}
