import { looksAhead, scenarioTitle } from '../../../core/scenario/scenario';
import type { Plan } from '../../../core/plan/plan';
import type { Quality } from '../../../core/report/report';
import { nativeScenario } from '../../../core/shapes';
import type { ModelConfig } from '../../read/model/architecture';
import type { LoadedModel } from '../../read/model/load';
import { comparePredictions, type OutputHead } from './predictions';

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

/**
 * Perplexity under the scenario and under the model's own attention, and the difference of the two predictions. Sums are
 * float64.
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
  const targets = tokens.subarray(1);
  const positions = targets.length;
  const sums = { loss: 0, baselineLoss: 0, divergence: 0, agreeing: 0 };
  for await (const { from, rows, compared } of comparePredictions(model, head, hidden, baseline, targets, signal)) {
    sums.loss += sum(compared.loss);
    sums.baselineLoss += sum(compared.baselineLoss);
    sums.divergence += sum(compared.divergence);
    sums.agreeing += compared.margin.filter((margin) => margin === 0).length;
    onProgress((from + rows) / positions);
  }
  return {
    baseline: nativeScenario(model.shape),
    perplexity: Math.exp(sums.loss / positions),
    baselinePerplexity: Math.exp(sums.baselineLoss / positions),
    // Rounding can make a mean of zeros slightly negative; a divergence cannot be.
    meanKl: Math.max(0, sums.divergence / positions),
    topAgreement: sums.agreeing / positions,
    positions,
  };
}

function sum(values: Float32Array | undefined): number {
  return values === undefined ? NaN : values.reduce((total, value) => total + value, 0);
}
