import type { AttentionState } from '../../../core/math/attention-state';
import { type HeadTensors, referenceAttention, scoreOf } from '../../../core/math/reference-attention';
import { blockEnd, blockStart } from '../../../core/plan/partition';
import { type LayerPlan, planLayers } from '../../../core/plan/plan';
import {
  type ErrorSpread,
  type Guarantee,
  type HeadSampling,
  logNeededLength,
  type SampleSpread,
  type SamplingConstants,
  type SamplingReport,
  statisticalError,
} from '../../../core/report/sampling';
import { largestOf, worse } from './difference';
import { rowBound } from './row-bound';
import { fullMask } from '../../../core/scenario/full';
import { sampleSeed } from '../../../core/scenario/scenario';
import { layerAttention } from '../forward';
import { PhaseClock, throwIfCancelled } from '../runtime/clock';
import { type AttendedLayer, headTensors, headView, type LayerTensors } from '../tiles/layer';
import type { Oracle } from '../tiles/oracle';

/** The trial that checks theorem 4.1. */
interface SamplingTrial extends Guarantee {
  /** Number of permutations to try; the plan's own seed is the first. */
  readonly seeds: number;
  /** Query rows to examine. */
  readonly rows: readonly number[];
  /** Description of the data, for the report. */
  readonly data: string;
}

/**
 * Measures the quantities that theorem 4.1 assumes, and the errors of its estimates over many seeds.
 *
 * Constants and exact attention are float64, over the examined rows and all their keys.
 */
export class SamplingCheck {
  private readonly heads: HeadSampling[] = [];
  private readonly worst: Float64Array;
  private rounding = 0;
  private spread: SampleSpread = { output: noSpread, normaliser: noSpread };

  /**
   * @param oracle runs the samples; its counter is separate from the run's
   * @param onProgress called with the finished fraction of a layer's seeds
   */
  constructor(
    private readonly plan: LayerPlan,
    private readonly trial: SamplingTrial,
    private readonly oracle: Oracle,
    private readonly signal: AbortSignal,
    private readonly onProgress: (fraction: number) => void = () => undefined,
  ) {
    this.worst = new Float64Array(trial.seeds);
  }

  /** Examines one layer. */
  async inspect(layer: number, tensors: LayerTensors): Promise<void> {
    const { tokens, blockSize } = this.plan;
    const exact: AttentionState[] = [];
    for (let head = 0; head < tensors.query.heads; head += 1) {
      throwIfCancelled(this.signal);
      const own = headTensors(tensors, head);
      const state = referenceAttention(own, fullMask(tokens), 1, this.trial.rows);
      exact.push(state);
      this.rounding = Math.max(this.rounding, roundingOf(this.plan, own, this.trial.rows, state));
      const { spread, ...constants } = samplingConstants(own, this.trial.rows);
      this.spread = widest(this.spread, spread);
      const needed = logNeededLength(constants, tokens, own.width, this.trial);
      this.heads.push({ layer, head, ...constants, logNeededLength: needed, holds: needed <= Math.log(Math.min(tokens, blockSize)) });
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (let index = 0; index < this.trial.seeds; index += 1) {
      const plan = planLayers({ ...this.plan, scenario: { kind: 'average-case', seed: seedOf(this.plan, index) } });
      const attended = await layerAttention(plan, this.oracle, new PhaseClock(), () => throwIfCancelled(this.signal)).run(tensors);
      this.worst[index] = Math.max(this.worst[index], this.largestError(attended, exact));
      this.onProgress((index + 1) / this.trial.seeds);
    }
  }

  /** The results over all layers. */
  result(): SamplingReport {
    const { plan, trial, heads, worst } = this;
    return {
      data: trial.data,
      tokens: plan.tokens,
      sample: Math.min(plan.tokens, plan.blockSize),
      epsilon: trial.epsilon,
      failureProbability: trial.failureProbability,
      rows: trial.rows.length,
      heads,
      holds: heads.every(({ holds }) => holds),
      logNeededLength: Math.max(...heads.map((head) => head.logNeededLength)),
      seeds: trial.seeds,
      errors: spreadOf(worst),
      statisticalError: statisticalError(
        this.spread,
        plan.tokens,
        // The last query block may have fewer keys than the others: what it reads decides.
        Math.min(...Array.from({ length: plan.blocks }, (_, block) => blockEnd(plan, block) - blockStart(plan, block))),
        Math.max(1, trial.rows.length * heads.length * trial.seeds),
        trial.failureProbability,
      ),
      roundingError: this.rounding,
      within: worst.filter((error) => error <= trial.epsilon).length,
    };
  }

  /** The largest error of a row's output, relative to the exact output in Euclidean norm. */
  private largestError({ out }: AttendedLayer, exact: readonly AttentionState[]): number {
    let largest = 0;
    exact.forEach((state, head) => {
      const estimate = headView(out, head);
      this.trial.rows.forEach((row, index) => {
        let difference = 0;
        let size = 0;
        for (let column = 0; column < state.width; column += 1) {
          difference += (estimate[row * state.width + column] - state.out[index * state.width + column]) ** 2;
          size += state.out[index * state.width + column] ** 2;
        }
        largest = worse(largest, relative(Math.sqrt(difference), Math.sqrt(size)));
      });
    });
    return largest;
  }
}

/** The seed of the trial's `index`-th permutation: the plan's own, and those after it. */
function seedOf({ scenario }: LayerPlan, index: number): number {
  return ((sampleSeed(scenario) ?? 0) + index) >>> 0;
}

const noSpread = { deviation: 0, largest: 0 };

/** The wider of two spreads, number by number. */
function widest(one: SampleSpread, other: SampleSpread): SampleSpread {
  const of = (a: SampleSpread['output'], b: SampleSpread['output']): SampleSpread['output'] => ({
    deviation: Math.max(a.deviation, b.deviation),
    largest: Math.max(a.largest, b.largest),
  });
  return { output: of(one.output, other.output), normaliser: of(one.normaliser, other.normaliser) };
}

/**
 * C and D of one head, over the given query rows and all keys (theorem 4.1's assumption), and how far its keys lie apart. Queries
 * carry their scale.
 */
export function samplingConstants(head: HeadTensors, rows: readonly number[]): SamplingConstants & { readonly spread: SampleSpread } {
  const { width, keys, values } = head;
  const count = keys.length / width;
  const valueNorms = Float64Array.from({ length: count }, (_, key) => norm(values, key * width, width));
  const scores = new Float64Array(count);
  let logC = 0;
  let d = Infinity;
  let spread: SampleSpread = { output: noSpread, normaliser: noSpread };
  for (const row of rows) {
    let high = -Infinity;
    for (let key = 0; key < count; key += 1) {
      scores[key] = scoreOf(head, row, key);
      high = Math.max(high, scores[key]);
      logC = Math.max(logC, Math.abs(scores[key]));
    }
    // D is a ratio of b's, so a common factor of all a_ij cancels.
    const sum = new Float64Array(width);
    let largest = 0;
    for (let key = 0; key < count; key += 1) {
      const weight = Math.exp(scores[key] - high);
      largest = Math.max(largest, weight * valueNorms[key]);
      for (let column = 0; column < width; column += 1) {
        sum[column] += weight * values[key * width + column];
      }
    }
    // Values that are all 0 are estimated exactly from any sample.
    d = Math.min(d, largest === 0 ? 1 : norm(sum, 0, width) / (count * largest));
    spread = widest(spread, spreadOfKeys(values, width, scores, high, sum));
  }
  return { logC, d, spread };
}

/** How far the keys of one row lie apart. @param sum of `e^(score - high) value` over all keys */
function spreadOfKeys(values: ArrayLike<number>, width: number, scores: Float64Array, high: number, sum: Float64Array): SampleSpread {
  const count = scores.length;
  const mean = scores.reduce((total, score) => total + Math.exp(score - high), 0) / count;
  const out = sum.map((component) => component / (count * mean));
  const size = norm(out, 0, width);
  const squares = { output: 0, normaliser: 0 };
  const largest = { output: 0, normaliser: 0 };
  for (let key = 0; key < count; key += 1) {
    const weight = Math.exp(scores[key] - high) / mean;
    let distance = 0;
    for (let column = 0; column < width; column += 1) {
      distance += (values[key * width + column] - out[column]) ** 2;
    }
    const moved = { output: relative(weight * Math.sqrt(distance), size), normaliser: Math.abs(weight - 1) };
    for (const name of ['output', 'normaliser'] as const) {
      squares[name] += moved[name] ** 2;
      largest[name] = Math.max(largest[name], moved[name]);
    }
  }
  const of = (name: 'output' | 'normaliser'): SampleSpread['output'] => ({
    deviation: Math.sqrt(squares[name] / Math.max(1, count - 1)),
    largest: largest[name],
  });
  return { output: of('output'), normaliser: of('normaliser') };
}

/** A difference relative to the size of what it is from; none is none, of nothing too. */
function relative(difference: number, size: number): number {
  return difference === 0 ? 0 : difference / size;
}

function absoluteSum(vector: ArrayLike<number>, from: number, width: number): number {
  let sum = 0;
  for (let column = from; column < from + width; column += 1) {
    sum += Math.abs(vector[column]);
  }
  return sum;
}

/** The most that rounding may add to the relative error of a row of a head, in Euclidean norm. */
function roundingOf(
  plan: LayerPlan,
  { width, queries, keys, values }: HeadTensors,
  rows: readonly number[],
  exact: AttentionState,
): number {
  const [largestKey, largestValue] = [largestOf(keys), largestOf(values)];
  let worst = 0;
  rows.forEach((row, index) => {
    const products = largestKey * absoluteSum(queries, row * width, width);
    const sight = { row, ranges: [{ from: 0, to: plan.tokens }] };
    const { relative: bound } = rowBound(plan, { products, spread: 2 * products, sight }, { precision: 'float32' });
    worst = worse(worst, relative(Math.sqrt(width) * bound * largestValue, norm(exact.out, index * width, width)));
  });
  return worst;
}

function norm(vector: ArrayLike<number>, from: number, width: number): number {
  let squares = 0;
  for (let column = from; column < from + width; column += 1) {
    squares += vector[column] ** 2;
  }
  return Math.sqrt(squares);
}

function spreadOf(errors: Float64Array): ErrorSpread {
  const sorted = Float64Array.from(errors).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
  return { minimum: at(0), median: at(0.5), ninetiethPercentile: at(0.9), maximum: at(1) };
}
