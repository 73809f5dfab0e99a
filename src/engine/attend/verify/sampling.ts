import type { AttentionState } from '../../../core/math/attention-state';
import { type HeadTensors, referenceAttention, scoreKeys } from '../../../core/math/reference-attention';
import { blockEnd, blockStart } from '../../../core/plan/partition';
import { type LayerPlan, planLayers } from '../../../core/plan/plan';
import {
  type ErrorSpread,
  type Guarantee,
  type HeadSampling,
  expectedSquare,
  logNeededLength,
  type SampleSpread,
  type SamplingConstants,
  type SamplingReport,
  statisticalErrors,
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
  /** How many errors of a seed are independent of one another, if the data are made so that it is known. */
  readonly independent?: number;
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
  /** Sums of the squared errors of rows, each relative to what a sample of its size is expected to have. */
  private readonly squares = { rows: 0, normaliser: 0, output: 0 };

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
    const exact: ExactHead[] = [];
    for (let head = 0; head < tensors.query.heads; head += 1) {
      throwIfCancelled(this.signal);
      const own = headTensors(tensors, head);
      const state = referenceAttention(own, fullMask(tokens), 1, this.trial.rows);
      this.rounding = Math.max(this.rounding, roundingOf(this.plan, own, this.trial.rows, state).output);
      const { spreads, ...constants } = samplingConstants(own, this.trial.rows);
      exact.push({ state, spreads });
      this.spread = widest([this.spread, ...spreads]);
      const needed = logNeededLength(constants, tokens, own.width, this.trial);
      this.heads.push({ layer, head, ...constants, logNeededLength: needed, holds: needed <= Math.log(Math.min(tokens, blockSize)) });
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (let index = 0; index < this.trial.seeds; index += 1) {
      const plan = planLayers({ ...this.plan, scenario: { kind: 'average-case', seed: seedOf(this.plan, index) } });
      const attended = await layerAttention(plan, this.oracle, new PhaseClock(), () => throwIfCancelled(this.signal)).run(tensors);
      this.worst[index] = worse(this.worst[index], this.compare(attended, exact));
      this.onProgress((index + 1) / this.trial.seeds);
    }
  }

  /** The results over all layers. */
  result(): SamplingReport {
    const { plan, trial, heads, worst, squares } = this;
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
      statisticalError: statisticalErrors(
        this.spread,
        plan.tokens,
        smallestSample(plan),
        Math.max(1, trial.rows.length * heads.length * trial.seeds),
        trial.failureProbability,
      ).output,
      roundingError: this.rounding,
      ...(trial.independent !== undefined && {
        squareRatios: {
          normaliser: squares.normaliser / squares.rows,
          output: squares.output / squares.rows,
          independent: trial.independent * trial.seeds,
        },
      }),
      within: worst.filter((error) => error <= trial.epsilon).length,
    };
  }

  /** Adds up the squared errors of a seed. @returns the largest error of a row's output, relative to the exact output in Euclidean norm */
  private compare({ out, logNormaliser }: AttendedLayer, exact: readonly ExactHead[]): number {
    const { tokens } = this.plan;
    let largest = 0;
    exact.forEach(({ state, spreads }, head) => {
      const estimate = headView(out, head);
      this.trial.rows.forEach((row, index) => {
        let difference = 0;
        let size = 0;
        for (let column = 0; column < state.width; column += 1) {
          difference += (estimate[row * state.width + column] - state.out[index * state.width + column]) ** 2;
          size += state.out[index * state.width + column] ** 2;
        }
        const error = relative(Math.sqrt(difference), Math.sqrt(size));
        largest = worse(largest, error);
        const sample = sampleOf(this.plan, Math.floor(row / this.plan.blockSize));
        const square = (of: 'output' | 'normaliser'): number => expectedSquare(spreads[index][of].deviation, tokens, sample);
        this.squares.rows += 1;
        this.squares.output += relative(error ** 2, square('output'));
        this.squares.normaliser += relative(
          Math.expm1(logNormaliser[head * tokens + row] - state.logNormaliser[index]) ** 2,
          square('normaliser'),
        );
      });
    });
    return largest;
  }
}

/** Exact attention of a head's examined rows, and how far the keys of each lie apart. */
interface ExactHead {
  readonly state: AttentionState;
  readonly spreads: readonly SampleSpread[];
}

/** Keys that a query of a block reads. */
function sampleOf(plan: LayerPlan, block: number): number {
  return blockEnd(plan, block) - blockStart(plan, block);
}

/** Keys that a query reads at least: the last query block may have fewer than the others. */
export function smallestSample(plan: LayerPlan): number {
  return sampleOf(plan, plan.blocks - 1);
}

/** The seed of the trial's `index`-th permutation: the plan's own, and those after it. */
function seedOf({ scenario }: LayerPlan, index: number): number {
  return ((sampleSeed(scenario) ?? 0) + index) >>> 0;
}

const noSpread = { deviation: 0, largest: 0 };

/** The widest of several spreads, number by number. */
export function widest(spreads: readonly SampleSpread[]): SampleSpread {
  const of = (part: keyof SampleSpread): SampleSpread['output'] =>
    spreads.reduce(
      ({ deviation, largest }, each) => ({
        deviation: Math.max(deviation, each[part].deviation),
        largest: Math.max(largest, each[part].largest),
      }),
      noSpread,
    );
  return { output: of('output'), normaliser: of('normaliser') };
}

/**
 * C and D of one head, over the given query rows and all keys (theorem 4.1's assumption), and how far its keys lie apart in each
 * row. Queries carry their scale.
 */
export function samplingConstants(
  head: HeadTensors,
  rows: readonly number[],
): SamplingConstants & { readonly spreads: readonly SampleSpread[] } {
  const { width, keys, values } = head;
  const count = keys.length / width;
  const valueNorms = Float64Array.from({ length: count }, (_, key) => norm(values, key * width, width));
  const scores = new Float64Array(count);
  const weights = new Float64Array(count);
  let logC = 0;
  let d = Infinity;
  const spreads: SampleSpread[] = [];
  for (const row of rows) {
    const high = scoreKeys(head, row, 1, 0, count, scores);
    // D is a ratio of b's, so a common factor of all a_ij cancels.
    const sum = new Float64Array(width);
    let largest = 0;
    for (let key = 0; key < count; key += 1) {
      logC = Math.max(logC, Math.abs(scores[key]));
      const weight = Math.exp(scores[key] - high);
      weights[key] = weight;
      largest = Math.max(largest, weight * valueNorms[key]);
      for (let column = 0; column < width; column += 1) {
        sum[column] += weight * values[key * width + column];
      }
    }
    // Values that are all 0 are estimated exactly from any sample.
    d = Math.min(d, largest === 0 ? 1 : norm(sum, 0, width) / (count * largest));
    spreads.push(spreadOfKeys(values, width, weights, sum));
  }
  return { logC, d, spreads };
}

/** How far the keys of one row lie apart. @param weights up to a factor @param sum of `weight * value` over all keys */
function spreadOfKeys(values: ArrayLike<number>, width: number, weights: Float64Array, sum: Float64Array): SampleSpread {
  const count = weights.length;
  const mean = weights.reduce((total, weight) => total + weight, 0) / count;
  const out = sum.map((component) => component / (count * mean));
  const size = norm(out, 0, width);
  let [squaresOfOutputs, squaresOfNormalisers, largestOutput, largestNormaliser] = [0, 0, 0, 0];
  for (let key = 0; key < count; key += 1) {
    const weight = weights[key] / mean;
    let distance = 0;
    for (let column = 0; column < width; column += 1) {
      distance += (values[key * width + column] - out[column]) ** 2;
    }
    const output = relative(weight * Math.sqrt(distance), size);
    const normaliser = Math.abs(weight - 1);
    squaresOfOutputs += output ** 2;
    squaresOfNormalisers += normaliser ** 2;
    largestOutput = Math.max(largestOutput, output);
    largestNormaliser = Math.max(largestNormaliser, normaliser);
  }
  const deviation = (squares: number): number => Math.sqrt(squares / Math.max(1, count - 1));
  return {
    output: { deviation: deviation(squaresOfOutputs), largest: largestOutput },
    normaliser: { deviation: deviation(squaresOfNormalisers), largest: largestNormaliser },
  };
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

/**
 * The most that rounding may add to the relative error of a row of a head, in Euclidean norm, and to the absolute one of its
 * log-normaliser.
 */
export function roundingOf(
  plan: LayerPlan,
  { width, queries, keys, values }: HeadTensors,
  rows: readonly number[],
  exact: AttentionState,
): { readonly output: number; readonly logNormaliser: number } {
  const [largestKey, largestValue] = [largestOf(keys), largestOf(values)];
  const worst = { output: 0, logNormaliser: 0 };
  rows.forEach((row, index) => {
    const products = largestKey * absoluteSum(queries, row * width, width);
    const sight = { row, ranges: [{ from: 0, to: plan.tokens }] };
    const bound = rowBound(plan, { products, spread: 2 * products, sight }, { precision: 'float32' });
    const output = relative(Math.sqrt(width) * bound.relative * largestValue, norm(exact.out, index * width, width));
    worst.output = worse(worst.output, output);
    worst.logNormaliser = worse(worst.logNormaliser, bound.logNormaliser);
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
