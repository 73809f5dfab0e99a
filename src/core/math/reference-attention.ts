import { visibleRanges, type BandedMask, type GeneralMask } from '../scenario/mask';
import type { AttentionState } from './attention-state';

/** One head's tensors: queries `[queries, width]`, keys and values `[keys, width]`, row-major. */
export interface HeadTensors {
  readonly width: number;
  readonly queries: Float32Array | Float64Array;
  readonly keys: Float32Array | Float64Array;
  readonly values: Float32Array | Float64Array;
  /** c, where scores s are bent to `c tanh(s / c)`. */
  readonly scoreCap?: number;
  /** The score of one more key, whose value is 0 and which every query sees: a learned sink. */
  readonly sink?: number;
}

/**
 * Exact attention of chosen queries of one head, accumulated in float64: the reference for checking every run.
 *
 * Scores are `scale * <q, k>`, bent where the head has a cap, softmax over the keys that `mask` allows and the sink, if there is
 * one. Row `i` of the result belongs to `rows[i]`. A row that sees no key is the empty state.
 */
export function referenceAttention(
  head: HeadTensors,
  mask: Pick<BandedMask, 'visible'> | Pick<GeneralMask, 'ranges'>,
  scale: number,
  rows: ArrayLike<number>,
): AttentionState {
  const { width, sink = -Infinity } = head;
  const out = new Float64Array(rows.length * width);
  const logNormaliser = new Float64Array(rows.length);
  const scores = new Float64Array(head.keys.length / width);
  for (let index = 0; index < rows.length; index += 1) {
    const query = rows[index];
    const ranges = visibleRanges(mask, query);
    const high = ranges.reduce((highest, { from, to }) => Math.max(highest, scoreKeys(head, query, scale, from, to, scores)), sink);
    const row = out.subarray(index * width, (index + 1) * width);
    const sum = ranges.reduce(
      (total, { from, to }) => total + addValues(head, scores, high, from, to, row),
      sink > -Infinity ? Math.exp(sink - high) : 0,
    );
    for (let column = 0; sum > 0 && column < width; column += 1) {
      row[column] /= sum;
    }
    logNormaliser[index] = high + Math.log(sum);
  }
  return { rows: rows.length, width, out, logNormaliser };
}

/** The score `scale * <q, k>` of a query and a key of one head, by their positions, in float64, bent where the head has a cap. */
export function scoreOf({ width, queries, keys, scoreCap }: HeadTensors, query: number, key: number, scale = 1): number {
  let product = 0;
  for (let column = 0; column < width; column += 1) {
    product += queries[query * width + column] * keys[key * width + column];
  }
  return bent(product * scale, scoreCap);
}

/** A score as the head has it, bent where there is a cap. */
function bent(score: number, scoreCap: number | undefined): number {
  return scoreCap === undefined ? score : scoreCap * Math.tanh(score / scoreCap);
}

/** Fills `scores[from..to)` with what `scoreOf` gives for a query and these keys, and returns the highest, `-Infinity` for no keys. */
export function scoreKeys(head: HeadTensors, query: number, scale: number, from: number, to: number, scores: Float64Array): number {
  const { width, keys, scoreCap } = head;
  // Read once for all keys: this loop is most of what a check of every row takes.
  const own = Float64Array.from(head.queries.subarray(query * width, (query + 1) * width));
  let high = -Infinity;
  for (let key = from; key < to; key += 1) {
    const base = key * width;
    let product = 0;
    for (let column = 0; column < width; column += 1) {
      product += own[column] * keys[base + column];
    }
    scores[key] = bent(product * scale, scoreCap);
    high = Math.max(high, scores[key]);
  }
  return high;
}

/** Adds `e^(score - high) * value` over `[from, to)` into `row`; returns the sum of the weights. */
function addValues(head: HeadTensors, scores: Float64Array, high: number, from: number, to: number, row: Float64Array): number {
  const { width, values } = head;
  let sum = 0;
  for (let key = from; key < to; key += 1) {
    const weight = Math.exp(scores[key] - high);
    sum += weight;
    const base = key * width;
    for (let column = 0; column < width; column += 1) {
      row[column] += weight * values[base + column];
    }
  }
  return sum;
}
