import type { AttentionState } from '../../../core/math/attention-state';
import { type HeadTensors, referenceAttention, scoreOf } from '../../../core/math/reference-attention';
import { type LayerPlan, planLayers } from '../../../core/plan/plan';
import {
  type ErrorSpread,
  type Guarantee,
  type HeadSampling,
  logNeededLength,
  type SamplingConstants,
  type SamplingReport,
} from '../../../core/report/sampling';
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
      exact.push(referenceAttention(own, fullMask(tokens), 1, this.trial.rows));
      const constants = samplingConstants(own, this.trial.rows);
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
        largest = Math.max(largest, Math.sqrt(difference / size));
      });
    });
    return largest;
  }
}

/** The seed of the trial's `index`-th permutation: the plan's own, and those after it. */
function seedOf({ scenario }: LayerPlan, index: number): number {
  return ((sampleSeed(scenario) ?? 0) + index) >>> 0;
}

/** C and D of one head, over the given query rows and all keys (theorem 4.1's assumption). Queries carry their scale. */
export function samplingConstants(head: HeadTensors, rows: readonly number[]): SamplingConstants {
  const { width, keys, values } = head;
  const count = keys.length / width;
  const valueNorms = Float64Array.from({ length: count }, (_, key) => norm(values, key * width, width));
  const scores = new Float64Array(count);
  let logC = 0;
  let d = Infinity;
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
    d = Math.min(d, norm(sum, 0, width) / (count * largest));
  }
  return { logC, d };
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
