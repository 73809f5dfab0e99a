import type { Activation, Architecture, ClampedGate, Norm } from '../../read/model/architecture';
import type { HeadWeight, OutputAndMlpWeight, ProjectWeight } from '../../read/model/weights';
import { type Graph, GraphBuilder, type Value } from '../onnx/graph-builder';
import { runtimeDomain } from '../onnx/operators';
import { mixInto } from './experts';
import { type GivenWeights, linearInto, weightValues, type WeightValues } from './linear';

/** A weight that every architecture has. */
export function required<Name extends string>(values: WeightValues<Name>, name: Name): Value {
  const value = values[name];
  if (value === undefined) {
    throw new RangeError(`A layer needs ${name}.`);
  }
  return value;
}

/** `x W^T`, plus a bias if there is one: weights stay in the `[out, in]` layout of a checkpoint. */
function affine<Name extends string>(g: GraphBuilder, x: Value, values: WeightValues<Name>, weight: Name, bias: Name): Value {
  return linearInto(g, x, required(values, weight), values[bias]);
}

/**
 * Normalisation over the last axis: `x / sqrt(mean(x^2) + epsilon) * weight`; a layer norm first subtracts the mean from x.
 * Plus a bias if there is one (Ba et al., arXiv 1607.06450; Zhang and Sennrich, arXiv 1910.07467).
 */
export function normalise(g: GraphBuilder, { kind, epsilon }: Norm, x: Value, weight: Value, bias?: Value): Value {
  if (g.forRuntime && kind === 'rms' && bias === undefined) {
    // Its LayerNormalization is left alone: that takes the variance as a difference of two sums.
    return g.call({ opType: 'SimplifiedLayerNormalization' }, [x, weight], 1, { axis: -1, epsilon: { float: epsilon } })[0];
  }
  const centred = kind === 'rms' ? x : g.subtract(x, g.reduceMean(x, -1));
  const meanSquare = g.reduceMean(g.multiply(centred, centred), -1);
  const scaled = g.multiply(g.divide(centred, g.sqrt(g.add(meanSquare, g.scalar(epsilon)))), weight);
  return bias === undefined ? scaled : g.add(scaled, bias);
}

/** The activation of a feed-forward network, elementwise (both kinds of GELU: Hendrycks and Gimpel, arXiv 1606.08415). */
function activate(g: GraphBuilder, activation: Activation, x: Value): Value {
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

/** Cosines and sines of the rotary position embedding as values of a graph, `[rows, columns / 2]`. */
export interface RotaryValues {
  /** Columns of a head that rotate, its first ones. */
  readonly columns: number;
  readonly cos: Value;
  readonly sin: Value;
}

/**
 * Queries `[H, rows, m]`, scaled by 1/sqrt(m) or the model's multiplier of scores, keys and values `[H_kv, rows, m]` of a
 * residual stream `[rows, d]`.
 *
 * @param rotary absent if positions are learned, or the layer knows none
 * @param positions `[rows, 1]`, for ALiBi
 */
export function projectInto(
  g: GraphBuilder,
  architecture: Architecture,
  hidden: Value,
  weights: WeightValues<ProjectWeight>,
  rotary: RotaryValues | undefined,
  positions?: Value,
): Record<'query' | 'key' | 'value', Value> {
  const { shape, norm, normPlacement, normsAcrossHeads, multipliers } = architecture;
  const { heads, keyValueHeads } = shape;
  const headWidth = projectedWidth(architecture);
  // With norms after each half, the input is already normalised; a first layer may rely on the embedding's norm.
  const normed =
    (normPlacement === 'before' || normPlacement === 'around') && weights.attentionNormWeight !== undefined
      ? normalise(g, norm, hidden, weights.attentionNormWeight, weights.attentionNormBias)
      : hidden;
  const perHead = (x: Value, count: number): Value => g.transpose(g.reshape(x, [-1, count, headWidth]), [1, 0, 2]);
  const normedHeads = (x: Value, count: number, weight: Value | undefined): Value => {
    if (weight === undefined) {
      return perHead(x, count);
    }
    return normsAcrossHeads === true ? perHead(normalise(g, norm, x, weight), count) : normalise(g, norm, perHead(x, count), weight);
  };
  const rotate = (x: Value): Value => (rotary === undefined ? x : rotateHalves(g, x, headWidth, rotary));
  const query = affine(g, normed, weights, 'queryWeight', 'queryBias');
  const key = affine(g, normed, weights, 'keyWeight', 'keyBias');
  const projected = {
    query: g.multiply(
      rotate(normedHeads(query, heads, weights.queryNormWeight)),
      g.scalar(multipliers?.scores ?? 1 / Math.sqrt(headWidth)),
    ),
    key: rotate(normedHeads(key, keyValueHeads, weights.keyNormWeight)),
    value: perHead(affine(g, normed, weights, 'valueWeight', 'valueBias'), keyValueHeads),
  };
  return architecture.alibi === undefined
    ? projected
    : withPositions(g, architecture.alibi.slopes, headWidth, projected, required({ ...(positions && { positions }) }, 'positions'));
}

/** Columns of a head that are projections of the residual stream. */
function projectedWidth({ shape, alibi }: Architecture): number {
  return alibi === undefined ? shape.headWidth : shape.headWidth - 1;
}

/** One more column for ALiBi: the slope of each head in queries, the position in keys, 0 in values. */
function withPositions(
  g: GraphBuilder,
  slopes: readonly number[],
  width: number,
  { query, key, value }: Record<'query' | 'key' | 'value', Value>,
  positions: Value,
): Record<'query' | 'key' | 'value', Value> {
  const ones = (x: Value): Value => g.slice(g.padEnd(x, 3, 2, 1, 1), 2, width, width + 1);
  return {
    query: g.concat(2, query, g.multiply(ones(query), g.floats([slopes.length, 1, 1], Float32Array.from(slopes)))),
    key: g.concat(2, key, g.multiply(ones(key), positions)),
    value: g.padEnd(value, 3, 2, 1),
  };
}

/** Rotates column i and column i + columns/2 of `[heads, rows, m]` as a pair by the position's angle; columns after them stay. */
function rotateHalves(g: GraphBuilder, x: Value, headWidth: number, { columns, cos, sin }: RotaryValues): Value {
  if (g.forRuntime) {
    // Heads go as sequences of one head; the tables begin with the first row's position.
    const attributes = { num_heads: 1, rotary_embedding_dim: columns };
    return g.call({ opType: 'RotaryEmbedding', domain: runtimeDomain }, [x, g.integers(0), cos, sin], 1, attributes)[0];
  }
  const low = g.slice(x, 2, 0, columns / 2);
  const high = g.slice(x, 2, columns / 2, columns);
  const rest = columns === headWidth ? [] : [g.slice(x, 2, columns, headWidth)];
  return g.concat(2, g.subtract(g.multiply(low, cos), g.multiply(high, sin)), g.add(g.multiply(high, cos), g.multiply(low, sin)), ...rest);
}

/**
 * A token-wise call: residual stream to queries, keys and values.
 *
 * Inputs: `hidden` `[rows, d]`, the weights by name, if the layer rotates `cos` and `sin` `[rows, columns / 2]`, and for ALiBi
 * `positions` `[rows, 1]`. Outputs: `query`
 * `[H, rows, m]`, scaled, `key` and `value` `[H_kv, rows, m]`.
 *
 * @param columns of a head that rotate; undefined if none do
 * @param forRuntime whether ONNX Runtime's own operators may be used
 */
export function projectGraph(
  architecture: Architecture,
  weights: GivenWeights<ProjectWeight>,
  columns: number | undefined,
  forRuntime: boolean,
): Graph {
  const { width, headWidth, heads, keyValueHeads } = architecture.shape;
  const g = new GraphBuilder('project', forRuntime);
  const hidden = g.input('hidden', ['rows', width]);
  const values = weightValues(g, weights);
  const rotary =
    columns === undefined ? undefined : { columns, cos: g.input('cos', ['rows', columns / 2]), sin: g.input('sin', ['rows', columns / 2]) };
  const positions = architecture.alibi && g.input('positions', ['rows', 1]);
  const projected = projectInto(g, architecture, hidden, values, rotary, positions);
  g.output('query', projected.query, [heads, 'rows', headWidth]);
  g.output('key', projected.key, [keyValueHeads, 'rows', headWidth]);
  g.output('value', projected.value, [keyValueHeads, 'rows', headWidth]);
  return g.buildApart();
}

/** Attention outputs `[H, rows, m]` back into the residual stream, then the feed-forward network: `[rows, d]`. */
export function outputAndMlpInto(
  g: GraphBuilder,
  architecture: Architecture,
  hidden: Value,
  attended: Value,
  weights: WeightValues<OutputAndMlpWeight>,
): Value {
  const { shape, norm, normPlacement, parallelHalves, multipliers } = architecture;
  const width = projectedWidth(architecture);
  const values = width === shape.headWidth ? attended : g.slice(attended, 2, 0, width);
  const joined = g.reshape(g.transpose(values, [1, 0, 2]), [-1, shape.heads * width]);
  const normAttention = (x: Value): Value => normalise(g, norm, x, required(weights, 'attentionNormWeight'), weights.attentionNormBias);
  const normMlp = (x: Value): Value => normalise(g, norm, x, required(weights, 'mlpNormWeight'), weights.mlpNormBias);
  const mlp = (x: Value): Value => feedForward(g, architecture, x, weights);
  const add = (stream: Value, x: Value): Value => g.add(stream, scaledBy(g, x, multipliers?.residual));
  const output = affine(g, joined, weights, 'outputWeight', 'outputBias');
  switch (normPlacement) {
    case 'after': {
      const normed = normAttention(add(hidden, output));
      return normMlp(add(normed, mlp(normed)));
    }
    case 'output': {
      const residual = add(hidden, normAttention(output));
      return add(residual, normMlp(mlp(residual)));
    }
    case 'around': {
      const normed = (x: Value, name: 'attentionOutputNormWeight' | 'mlpOutputNormWeight'): Value =>
        normalise(g, norm, x, required(weights, name));
      const residual = add(hidden, normed(output, 'attentionOutputNormWeight'));
      return add(residual, normed(mlp(normMlp(residual)), 'mlpOutputNormWeight'));
    }
    case 'before': {
      const residual = add(hidden, output);
      return add(residual, mlp(normMlp(parallelHalves === true ? hidden : residual)));
    }
  }
}

/** A value by a factor, if there is one. */
export function scaledBy(g: GraphBuilder, x: Value, factor = 1): Value {
  return factor === 1 ? x : g.multiply(x, g.scalar(factor));
}

/** The feed-forward network of a layer, or if the layer has a router its mixture of experts: `[rows, d]` to `[rows, d]`. */
function feedForward(g: GraphBuilder, architecture: Architecture, x: Value, weights: WeightValues<OutputAndMlpWeight>): Value {
  const { routerWeight, routerBias } = weights;
  if (routerWeight === undefined || architecture.experts === undefined) {
    return network(g, architecture, x, weights);
  }
  const of = (expert: number): WeightValues<NetworkWeight> =>
    Object.fromEntries(networkWeights.map((name) => [name, weights[`experts.${expert}.${name}`]]));
  const networks = [];
  while (weights[`experts.${networks.length}.upWeight`] !== undefined) {
    const own = of(networks.length);
    networks.push((rows: Value) => network(g, architecture, rows, own));
  }
  return mixInto(g, architecture.experts, architecture.shape.width, x, linearInto(g, x, routerWeight, routerBias), networks);
}

/** The weights of one feed-forward network. */
const networkWeights = ['gateWeight', 'gateBias', 'upWeight', 'upBias', 'downWeight', 'downBias'] as const;
type NetworkWeight = (typeof networkWeights)[number];

/**
 * Two matrices with an activation between them, or three if a gate multiplies the intermediate values (Shazeer, arXiv
 * 2002.05202).
 */
function network(g: GraphBuilder, architecture: Architecture, x: Value, weights: WeightValues<NetworkWeight>): Value {
  const { shape, activation, clampedGate } = architecture;
  const up = affine(g, x, weights, 'upWeight', 'upBias');
  const gate = (): Value => affine(g, x, weights, 'gateWeight', 'gateBias');
  const inner =
    shape.feedForward === 'plain'
      ? activate(g, activation, up)
      : clampedGate === undefined
        ? g.multiply(activate(g, activation, gate()), up)
        : gateClamped(g, clampedGate, gate(), up);
  return affine(g, inner, weights, 'downWeight', 'downBias');
}

/** `(up + 1) gate sigmoid(slope gate)`, the gate no greater than the limit, the factor within it on both sides. */
function gateClamped(g: GraphBuilder, { limit, slope }: ClampedGate, gate: Value, up: Value): Value {
  const low = g.min(gate, g.scalar(limit));
  return g.multiply(g.add(g.clip(up, -limit, limit), g.scalar(1)), g.multiply(low, g.sigmoid(g.multiply(low, g.scalar(slope)))));
}

/**
 * A token-wise call: attention outputs back into the residual stream, then the feed-forward network.
 *
 * Inputs: `hidden` `[rows, d]`, `attended` `[H, rows, m]`, the weights by name. Output: `next` `[rows, d]`.
 *
 * @param forRuntime as of `projectGraph`
 */
export function outputAndMlpGraph(architecture: Architecture, weights: GivenWeights<OutputAndMlpWeight>, forRuntime: boolean): Graph {
  const { width, headWidth, heads } = architecture.shape;
  const g = new GraphBuilder('output-and-mlp', forRuntime);
  const hidden = g.input('hidden', ['rows', width]);
  const attended = g.input('attended', [heads, 'rows', headWidth]);
  g.output('next', outputAndMlpInto(g, architecture, hidden, attended, weightValues(g, weights)), ['rows', width]);
  return g.buildApart();
}

/** The last residual stream `[rows, d]` to logits `[rows, vocabulary]`. */
export function logitsInto(g: GraphBuilder, architecture: Architecture, hidden: Value, weights: WeightValues<HeadWeight>): Value {
  const { norm, activation, multipliers, logitCap } = architecture;
  const { finalNormWeight, transformWeight } = weights;
  const normed = finalNormWeight === undefined ? hidden : normalise(g, norm, hidden, finalNormWeight, weights.finalNormBias);
  const logits = affine(g, transformWeight === undefined ? normed : transformed(), weights, 'headWeight', 'headBias');
  const scaled = scaledBy(g, logits, multipliers?.logits);
  return logitCap === undefined ? scaled : g.cap(scaled, g.scalar(logitCap));

  /** One more layer, as in masked language models: a matrix, the activation and a norm. */
  function transformed(): Value {
    const activated = activate(g, activation, affine(g, normed, weights, 'transformWeight', 'transformBias'));
    return normalise(g, norm, activated, required(weights, 'transformNormWeight'), weights.transformNormBias);
  }
}

/**
 * Logits `[rows, vocabulary]` to natural logarithms of probabilities, in elementary operators because WebGPU has no
 * LogSoftmax kernel.
 */
export function logProbabilities(g: GraphBuilder, logits: Value): Value {
  const shifted = g.subtract(logits, g.reduceMax(logits, 1));
  return g.subtract(shifted, g.log(g.reduceSum(g.exp(shifted), 1)));
}
