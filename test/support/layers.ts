import { maskOf } from '../../src/core/scenario/scenario';
import type { Plan } from '../../src/core/plan/plan';
import { permutation, uniform } from '../../src/core/math/random';
import type { ModelShape } from '../../src/core/shapes';
import { type HeadTensor, headView, type LayerAttention, type LayerTensors } from '../../src/engine/attend/tiles/layer';
import { denseAttention, toRows } from './dense-attention';

/** A layer of uniform random tensors: queries up to `scale`, keys up to half of it, values up to 1. */
export function randomLayer(tokens: number, shape: ModelShape, seed: number, scale: number): LayerTensors {
  const next = uniform(seed);
  const tensor = (heads: number, size: number): HeadTensor => ({
    heads,
    tokens,
    width: shape.headWidth,
    data: Float32Array.from({ length: heads * tokens * shape.headWidth }, () => size * (2 * next() - 1)),
  });
  return { query: tensor(shape.heads, scale), key: tensor(shape.keyValueHeads, scale / 2), value: tensor(shape.keyValueHeads, 1) };
}

/** A layer whose scores are bent, if there is a cap. */
export function withCap(layer: LayerTensors, scoreCap: number | undefined): LayerTensors {
  return scoreCap === undefined ? layer : { ...layer, scoreCap };
}

/** A layer whose queries and keys lie on one line, so that scores reach from `-score` to `score`. */
export function alignedLayer(tokens: number, shape: ModelShape, seed: number, score: number): LayerTensors {
  const layer = randomLayer(tokens, shape, seed, 1);
  const next = uniform(seed + 1);
  const size = Math.sqrt(score / shape.headWidth);
  for (const { data, width } of [layer.query, layer.key]) {
    for (let row = 0; row < data.length; row += width) {
      data.fill(size * (2 * next() - 1), row, row + width);
    }
  }
  return layer;
}

/** The largest differences between a run and dense float64 attention over the pairs that the plan is to attend to. */
export async function errorsOf(
  plan: Plan,
  layer: LayerTensors,
  attention: LayerAttention,
): Promise<{ out: number; logNormaliser: number }> {
  const attended = await attention.run(layer);
  const mask = maskOf(plan.scenario, plan.tokens);
  // Theorem 4.1: query block t sees the keys tau(S_t), and its sum is scaled up to all N.
  const tau = plan.scenario.kind === 'average-case' ? permutation(plan.tokens, plan.scenario.seed) : undefined;
  const blockOf = (token: number): number => Math.floor(token / plan.blockSize);
  const place = tau && Array.from(tau).reduce<number[]>((where, key, position) => ((where[key] = position), where), []);
  const allows = (q: number, k: number): boolean => (place === undefined ? mask.allows(q, k) : blockOf(place[k]) === blockOf(q));
  const sampleSize = (q: number): number => Math.min(plan.blockSize, plan.tokens - blockOf(q) * plan.blockSize);

  const worst = { out: 0, logNormaliser: 0 };
  // NaN must not vanish in a maximum.
  const worse = (present: number, difference: number): number =>
    Number.isNaN(difference) ? Infinity : Math.max(present, Math.abs(difference));
  const group = layer.query.heads / layer.key.heads;
  for (let head = 0; head < layer.query.heads; head += 1) {
    const rows = (tensor: HeadTensor, h: number): number[][] => toRows(headView(tensor, h), tensor.width);
    const kv = Math.floor(head / group);
    const exact = denseAttention(rows(layer.query, head), rows(layer.key, kv), rows(layer.value, kv), allows, layer.scoreCap);
    toRows(headView(attended.out, head), layer.query.width).forEach((row, q) => {
      row.forEach((value, c) => (worst.out = worse(worst.out, value - exact.out[q][c])));
      const scaleUp = tau === undefined ? 0 : Math.log(plan.tokens / sampleSize(q));
      const difference = attended.logNormaliser[head * plan.tokens + q] - (exact.logNormaliser[q] + scaleUp);
      worst.logNormaliser = worse(worst.logNormaliser, difference);
    });
  }
  return worst;
}
