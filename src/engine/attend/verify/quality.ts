import { looksAhead, scenarioTitle } from '../../../core/scenario/scenario';
import type { Plan } from '../../../core/plan/plan';
import type { PositionsQuality, Quality } from '../../../core/report/report';
import { nativeScenario } from '../../../core/shapes';
import type { ModelConfig } from '../../read/model/architecture';
import type { LoadedModel } from '../../read/model/load';
import { comparePredictions, type OutputHead, type PredictionComparison } from './predictions';

/** Why a plan has no meaningful perplexity, or null if it has one. */
export function qualityObstacle(
  { scenario, tokens }: Pick<Plan, 'scenario' | 'tokens'>,
  { predicts }: Pick<ModelConfig, 'predicts'>,
): string | null {
  if (predicts !== 'next') {
    return predicts === 'masked'
      ? 'The model predicts masked tokens, not the next one, and has no perplexity; two-heads evaluate compares its predictions.'
      : 'The model has no output head, so there are no predictions to compare.';
  }
  if (looksAhead(scenario, tokens)) {
    return `${scenarioTitle(scenario)} attention lets a token see the tokens it is to predict, so a next-token model has no meaningful perplexity under it.`;
  }
  return tokens < 2 ? 'One token has no next token to predict.' : null;
}

/** Sums of what is compared at some positions, in float64. */
class QualitySums {
  private loss = 0;
  private baselineLoss = 0;
  private divergence = 0;
  private agreeing = 0;
  private positions = 0;

  /** Adds the rows `[from, to)` of compared predictions. */
  add({ loss, baselineLoss, divergence, margin }: PredictionComparison, from: number, to: number): void {
    this.loss += sum(loss?.subarray(from, to));
    this.baselineLoss += sum(baselineLoss?.subarray(from, to));
    this.divergence += sum(divergence.subarray(from, to));
    this.agreeing += margin.subarray(from, to).filter((row) => row === 0).length;
    this.positions += to - from;
  }

  /** Means over the positions, at least one. */
  result(): PositionsQuality {
    return {
      perplexity: Math.exp(this.loss / this.positions),
      baselinePerplexity: Math.exp(this.baselineLoss / this.positions),
      // Rounding can make a mean of zeros slightly negative; a divergence cannot be.
      meanKl: Math.max(0, this.divergence / this.positions),
      topAgreement: this.agreeing / this.positions,
      positions: this.positions,
    };
  }
}

/**
 * Perplexity under the scenario and under the model's own attention, and the difference of the two predictions: over all
 * positions, and within and past the trained length apart where both exist.
 *
 * @param hidden last residual stream `[N, d]` under the scenario
 * @param baseline the same under the model's own attention
 */
export async function measureQuality(
  model: LoadedModel,
  head: OutputHead,
  tokens: Int32Array,
  hidden: Float32Array,
  baseline: Float32Array,
  signal: AbortSignal,
  onProgress: (fraction: number) => void,
): Promise<Quality> {
  const { trainedTokens } = model.shape;
  const targets = tokens.subarray(1);
  const all = new QualitySums();
  const within = new QualitySums();
  const past = new QualitySums();
  for await (const { from, rows, compared } of comparePredictions(model, head, hidden, baseline, targets, signal)) {
    all.add(compared, 0, rows);
    // The row at index i predicts after i + 1 tokens.
    const split = Math.min(rows, Math.max(0, (trainedTokens ?? Infinity) - from));
    within.add(compared, 0, split);
    past.add(compared, split, rows);
    onProgress((from + rows) / targets.length);
  }
  return {
    baseline: nativeScenario(model.shape),
    ...all.result(),
    ...(trainedTokens !== undefined &&
      targets.length > trainedTokens && { byTraining: { trainedTokens, within: within.result(), past: past.result() } }),
  };
}

function sum(values: Float32Array | undefined): number {
  return values === undefined ? NaN : values.reduce((total, value) => total + value, 0);
}
