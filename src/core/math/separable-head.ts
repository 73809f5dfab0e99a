import type { Range } from '../scenario/mask';
import { KeySums } from './key-sums';
import { uniform } from './random';

/** Numbers of a probe are multiples of this: exact in float16, and so are the sums of two. */
const grid = 1 / 64;

/** The score of the learned sink that a probe has where a layer's heads have one. */
export const probeSink = 0.5;

/** The largest |score|: |f| + |g|. */
export const largestProbeScore = 2;

/** What a probe adds up to the score of a key, and to its values: noise, and steps of a few lengths. */
const scales = [1, 16, 256, 4096] as const;

/**
 * A head whose attention is known for every query in O(N m): query i has the score `f_i + g_j` with key j, bent if the scores of
 * the model are. So the weights of the keys, `e^(g_j)`, are the same for every query, and a state follows from two sums over the
 * keys that the query sees: the mean of the values, and the logarithm of the sum of weights, plus f_i.
 *
 * Queries are `[1, 0, f_i, 0...]` or `[0, 1, f_i, 0...]`, keys `[g_j, g'_j, 1, 0...]`: with two sets of weights, neighbours differ
 * in their results even where they see the same keys. A head of width 2 has one set, and one of width 1 no f.
 *
 * Weights differ by a factor of e^2 at most, so that no key can hide behind another: a block that is lost, doubled or replaced
 * changes every row that reads it by about its share of the keys. g and the values have a part that changes with every key and
 * parts that change every 16, 256 and 4,096 keys: blocks of any size differ in their sums.
 */
export class SeparableHead {
  /** `[rows, m]` each; queries are not scaled. */
  readonly queries: Float32Array;
  readonly keys: Float32Array;
  readonly values: Float32Array;
  /** The set of weights of each query `[rows]`. */
  private readonly sets: Uint8Array;
  /** f `[rows]`; where scores are bent, one for each set. */
  private readonly offsets: Float64Array;
  private readonly offsetOfSets: readonly number[];
  /** Of each set: g `[rows]`. */
  private readonly scores: readonly Float64Array[];

  /**
   * @param tokens N
   * @param width m
   * @param scoreCap c, where scores s are bent to `c tanh(s / c)`: f is then one number for each set
   * @param ranges of the sequence whose rows are made, ascending and apart: all by default
   */
  constructor(
    tokens: number,
    readonly width: number,
    seed: number,
    private readonly scoreCap?: number,
    ranges: readonly Range[] = [{ from: 0, to: tokens }],
  ) {
    const draws = new Draws(seed, tokens, ranges);
    const setCount = width < 3 ? 1 : 2;
    this.scores = Array.from({ length: setCount }, () => draws.steps());
    this.sets = Uint8Array.from(draws.each(), (draw) => Math.floor(setCount * draw));
    this.offsetOfSets = draws.some(setCount).map((draw) => onGrid(2 * draw - 1));
    this.offsets =
      width === 1
        ? new Float64Array(this.sets.length)
        : scoreCap === undefined
          ? draws.each().map((draw) => onGrid(2 * draw - 1))
          : Float64Array.from(this.sets, (set) => this.offsetOfSets[set]);
    const rows = this.sets.length;
    this.queries = new Float32Array(rows * width);
    this.keys = new Float32Array(rows * width);
    this.values = new Float32Array(rows * width);
    for (let row = 0; row < rows; row += 1) {
      this.queries[row * width + this.sets[row]] = 1;
      this.scores.forEach((scores, set) => (this.keys[row * width + set] = scores[row]));
      if (width > 1) {
        this.queries[row * width + setCount] = this.offsets[row];
        this.keys[row * width + setCount] = 1;
      }
    }
    for (let column = 0; column < width; column += 1) {
      // No column averages to 0, so that zeros in place of a result differ from it.
      const mean = column % 2 === 0 ? 0.5 : -0.5;
      const steps = draws.steps();
      for (let row = 0; row < rows; row += 1) {
        this.values[row * width + column] = mean + steps[row] / 2;
      }
    }
  }

  /** The sums of both sets. @param order of the keys, where ranges are of places in it */
  sums(order?: Uint32Array): SeparableSums {
    const { scoreCap: cap, values, width } = this;
    const bySet = this.scores.map((scores, set) => {
      const offset = cap === undefined || width === 1 ? 0 : this.offsetOfSets[set];
      const weights = scores.map((score) => Math.exp(cap === undefined ? score : cap * Math.tanh((score + offset) / cap)));
      return new KeySums(weights, values, width, order);
    });
    return { bySet };
  }

  /**
   * The exact state of a query over the keys of ranges.
   *
   * @param ranges those with a `logScale` count e to it times as much
   * @param sink the score of one more key, whose value is 0, if there is one
   * @param out takes the mean of the values `[m]`; its last entry is overwritten, `[m + 1]`
   * @returns the log-normaliser
   */
  state(
    { bySet }: SeparableSums,
    query: number,
    ranges: readonly (Range & { readonly logScale?: number })[],
    sink: number | undefined,
    out: Float64Array,
  ): number {
    const { width } = this;
    const offset = this.scoreCap === undefined ? this.offsets[query] : 0;
    const sums = bySet[this.sets[query]];
    out.fill(0);
    for (const range of ranges) {
      if ((range.logScale ?? 0) === 0) {
        sums.add(range, out);
        continue;
      }
      const own = new Float64Array(out.length);
      sums.add(range, own);
      const scale = Math.exp(range.logScale ?? 0);
      own.forEach((sum, column) => (out[column] += scale * sum));
    }
    const total = out[width] + (sink === undefined ? 0 : Math.exp(sink - offset));
    for (let column = 0; column < width; column += 1) {
      out[column] /= total;
    }
    return Math.log(total) + offset;
  }
}

/** What `SeparableHead.state` adds up. */
export interface SeparableSums {
  /** Of each set of weights. */
  readonly bySet: readonly KeySums[];
}

/**
 * The numbers of a probe at some rows of a sequence. Those of all rows are drawn one after another, and the generator can be entered
 * anywhere: so rows have the same numbers, whichever of them are made.
 */
class Draws {
  /** Numbers that were drawn before, for all rows. */
  private drawn = 0;

  constructor(
    private readonly seed: number,
    private readonly tokens: number,
    private readonly ranges: readonly Range[],
  ) {}

  /** Numbers that are no row's. */
  some(count: number): number[] {
    const next = uniform(this.seed, this.drawn);
    this.drawn += count;
    return Array.from({ length: count }, next);
  }

  /** A number for each row, from 0 to 1. */
  each(): Float64Array {
    const found = new Float64Array(this.ranges.reduce((sum, { from, to }) => sum + to - from, 0));
    let row = 0;
    for (const { from, to } of this.ranges) {
      const next = uniform(this.seed, this.drawn + from);
      for (let index = from; index < to; index += 1, row += 1) {
        found[row] = next();
      }
    }
    this.drawn += this.tokens;
    return found;
  }

  /** Numbers from -1 to 1 on the grid: a quarter of each changes at every scale. */
  steps(): Float64Array {
    const found = new Float64Array(this.ranges.reduce((sum, { from, to }) => sum + to - from, 0));
    for (const scale of scales) {
      let row = 0;
      for (const { from, to } of this.ranges) {
        const next = uniform(this.seed, this.drawn + Math.floor(from / scale));
        for (let index = from; index < to;) {
          const step = onGrid((2 * next() - 1) / scales.length);
          const end = Math.min(to, (Math.floor(index / scale) + 1) * scale);
          for (; index < end; index += 1, row += 1) {
            found[row] += step;
          }
        }
      }
      this.drawn += Math.ceil(this.tokens / scale);
    }
    return found;
  }
}

function onGrid(value: number): number {
  return Math.round(value / grid) * grid;
}
