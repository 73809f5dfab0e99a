import type { Activation, Architecture, ClampedGate, Norm } from '../../read/model/architecture';
import type { LayerWeights } from '../../read/model/load';
import { rotaryTable } from '../../read/model/rope';
import { unpackRow } from '../../read/model/packed';
import { elementsOf, type Weight } from '../../read/model/weights';

/** Numbers of one token. */
type Row = ArrayLike<number>;

/** Where a row lies, for its rotary embedding. */
export interface RowPlace {
  readonly position: number;
  /** N of the whole prompt. */
  readonly tokens: number;
}

/**
 * Queries `[H, m]`, scaled, keys and values `[H_kv, m]` of one token in float64, from its residual stream `[d]` and the weights:
 * written apart from the graphs (`projectInto`), which it checks.
 */
export function exactProjection(
  architecture: Architecture,
  { project: weights, rotary }: LayerWeights,
  hidden: Row,
  { position, tokens }: RowPlace,
): Record<'query' | 'key' | 'value', Float64Array> {
  const { shape, norm, normPlacement, normsAcrossHeads, multipliers, alibi } = architecture;
  const { attentionNormWeight, attentionNormBias } = weights;
  const width = projectedWidth(architecture);
  const isNormed = (normPlacement === 'before' || normPlacement === 'around') && attentionNormWeight !== undefined;
  const input = isNormed ? normalised(hidden, norm, attentionNormWeight, attentionNormBias) : hidden;
  const table = rotary && rotaryTable(rotary, 1, position, shape.headWidth, tokens);
  const headsOf = (x: Float64Array, scale: Weight | undefined): Float64Array => {
    const normed = scale !== undefined && normsAcrossHeads === true ? normalised(x, norm, scale) : x;
    const out = new Float64Array(x.length);
    for (let from = 0; from < x.length; from += width) {
      const head = normed.subarray(from, from + width);
      out.set(scale !== undefined && normsAcrossHeads !== true ? normalised(head, norm, scale) : head, from);
      for (let column = 0; table !== undefined && column < table.columns / 2; column += 1) {
        const [low, high] = [from + column, from + column + table.columns / 2];
        const [a, b] = [out[low], out[high]];
        out[low] = a * table.cos[column] - b * table.sin[column];
        out[high] = b * table.cos[column] + a * table.sin[column];
      }
    }
    return out;
  };
  const scale = multipliers?.scores ?? 1 / Math.sqrt(width);
  const query = headsOf(linear(input, needed(weights.queryWeight), weights.queryBias), weights.queryNormWeight).map((x) => scale * x);
  const key = headsOf(linear(input, needed(weights.keyWeight), weights.keyBias), weights.keyNormWeight);
  const value = linear(input, needed(weights.valueWeight), weights.valueBias);
  return alibi === undefined
    ? { query, key, value }
    : {
        query: withColumn(query, width, (head) => alibi.slopes[head]),
        key: withColumn(key, width, () => position),
        value: withColumn(value, width, () => 0),
      };
}

/**
 * The residual stream `[d]` of one token after a layer in float64, from that before it, its attention `[H, m]` and the weights: see
 * `outputAndMlpInto`. Undefined in a layer of experts, of which rounding may choose others.
 */
export function exactNext(
  architecture: Architecture,
  { outputAndMlp: weights }: LayerWeights,
  hidden: Row,
  attended: Row,
): Float64Array | undefined {
  const { shape, norm, normPlacement, parallelHalves, multipliers } = architecture;
  if (weights.routerWeight !== undefined) {
    return undefined;
  }
  const width = projectedWidth(architecture);
  const joined = Float64Array.from({ length: shape.heads * width }, (_, at) => {
    return attended[Math.floor(at / width) * shape.headWidth + (at % width)];
  });
  const add = (stream: Row, x: Row): Float64Array =>
    Float64Array.from({ length: x.length }, (_, column) => stream[column] + (multipliers?.residual ?? 1) * x[column]);
  const output = linear(joined, needed(weights.outputWeight), weights.outputBias);
  const mlp = (x: Row): Float64Array => {
    const up = linear(x, needed(weights.upWeight), weights.upBias);
    const gate = shape.feedForward === 'plain' ? undefined : linear(x, needed(weights.gateWeight), weights.gateBias);
    return linear(inner(architecture, up, gate), needed(weights.downWeight), weights.downBias);
  };
  const attentionNorm = (x: Row): Float64Array => normalised(x, norm, needed(weights.attentionNormWeight), weights.attentionNormBias);
  const mlpNorm = (x: Row): Float64Array => normalised(x, norm, needed(weights.mlpNormWeight), weights.mlpNormBias);
  switch (normPlacement) {
    case 'after': {
      const normed = attentionNorm(add(hidden, output));
      return mlpNorm(add(normed, mlp(normed)));
    }
    case 'output': {
      const residual = add(hidden, attentionNorm(output));
      return add(residual, mlpNorm(mlp(residual)));
    }
    case 'around': {
      const residual = add(hidden, normalised(output, norm, needed(weights.attentionOutputNormWeight)));
      return add(residual, normalised(mlp(mlpNorm(residual)), norm, needed(weights.mlpOutputNormWeight)));
    }
    case 'before': {
      const residual = add(hidden, output);
      return add(residual, mlp(mlpNorm(parallelHalves === true ? hidden : residual)));
    }
  }
}

/** Products of weights and numbers in the exact rows of a layer. */
export function exactProducts({ project, outputAndMlp }: LayerWeights): number {
  const matrices = [
    ...[project.queryWeight, project.keyWeight, project.valueWeight],
    ...[outputAndMlp.outputWeight, outputAndMlp.gateWeight, outputAndMlp.upWeight, outputAndMlp.downWeight],
  ];
  return matrices.reduce((sum, weight) => sum + elementsOf(weight?.shape ?? [0]), 0);
}

/** Columns of a head that are projections of the residual stream. */
function projectedWidth({ shape, alibi }: Architecture): number {
  return alibi === undefined ? shape.headWidth : shape.headWidth - 1;
}

function needed(weight: Weight | undefined): Weight {
  if (weight === undefined) {
    throw new RangeError('A layer lacks a weight that its kind has.');
  }
  return weight;
}

/** `W x`, plus a bias if there is one. */
function linear(x: Row, weight: Weight, bias?: Weight): Float64Array {
  const [rows, columns] = weight.shape;
  const { packed } = weight;
  const data = packed === undefined ? weight.data : new Float32Array(columns);
  const out = new Float64Array(rows);
  const input = Float64Array.from(x);
  const even = columns - (columns % 4);
  for (let row = 0; row < rows; row += 1) {
    // Four sums at a time: each addition of one waits for the one before it.
    let [a, b, c, d] = [bias === undefined ? 0 : bias.data[row], 0, 0, 0];
    const base = packed === undefined ? row * columns : 0;
    if (packed !== undefined) {
      unpackRow(packed, row, data);
    }
    for (let column = 0; column < even; column += 4) {
      a += data[base + column] * input[column];
      b += data[base + column + 1] * input[column + 1];
      c += data[base + column + 2] * input[column + 2];
      d += data[base + column + 3] * input[column + 3];
    }
    for (let column = even; column < columns; column += 1) {
      a += data[base + column] * input[column];
    }
    out[row] = a + b + c + d;
  }
  return out;
}

function normalised(x: Row, { kind, epsilon }: Norm, weight: Weight, bias?: Weight): Float64Array {
  const values = Float64Array.from(x);
  const mean = kind === 'rms' ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
  const size = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length + epsilon);
  return values.map((value, column) => ((value - mean) / size) * weight.data[column] + (bias?.data[column] ?? 0));
}

function withColumn(x: Float64Array, width: number, of: (head: number) => number): Float64Array {
  const wide = new Float64Array((x.length / width) * (width + 1));
  for (let head = 0; head < x.length / width; head += 1) {
    wide.set(x.subarray(head * width, (head + 1) * width), head * (width + 1));
    wide[head * (width + 1) + width] = of(head);
  }
  return wide;
}

function inner({ activation, clampedGate }: Architecture, up: Float64Array, gate: Float64Array | undefined): Float64Array {
  if (gate === undefined) {
    return up.map((x) => activated(activation, x));
  }
  return clampedGate === undefined
    ? up.map((x, column) => activated(activation, gate[column]) * x)
    : up.map((x, column) => clamped(clampedGate, gate[column], x));
}

function clamped({ limit, slope }: ClampedGate, gate: number, up: number): number {
  const low = Math.min(gate, limit);
  return (Math.max(-limit, Math.min(limit, up)) + 1) * (low / (1 + Math.exp(-slope * low)));
}

function activated(activation: Activation, x: number): number {
  switch (activation) {
    case 'relu':
      return Math.max(0, x);
    case 'silu':
      return x / (1 + Math.exp(-x));
    case 'gelu':
      return (x / 2) * (1 + errorFunction(x * Math.SQRT1_2));
    case 'gelu-tanh':
      return (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
  }
}

/** `erf`, by its series of positive terms `2/sqrt(pi) e^(-x^2) sum 2^n x^(2n+1) / (2n+1)!!` (DLMF 7.6.2); 1 in float64 from 6 on. */
function errorFunction(x: number): number {
  if (Math.abs(x) >= 6) {
    return Math.sign(x);
  }
  let [sum, term] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n += 1) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
