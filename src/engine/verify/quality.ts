import { maskDefinition } from '../../core/masks';
import type { Plan } from '../../core/plan/plan';
import type { Quality } from '../../core/report/report';
import type { LoadedModel } from '../model/load';
import type { PredictionComparer } from '../oracle/oracle';
import { throwIfCancelled } from '../run/cancel';

/** Memory that the logits of one slice may take: two distributions and their intermediates. */
const logitBytes = 96 * 1024 * 1024;

/** Why a plan's perplexity would mean nothing, or null where it means something. */
export function qualityObstacle({ scenario, tokens }: Pick<Plan, 'scenario' | 'tokens'>): string | null {
  const { looksAhead, title } = maskDefinition(scenario.kind);
  if (looksAhead) {
    return `${title} attention lets a token see the tokens it is to predict, so a next-token model has no meaningful perplexity under it.`;
  }
  return tokens < 2 ? 'One token has no next token to predict.' : null;
}

/**
 * Perplexity under the scenario and under full causal attention, and the mean KL divergence between the two.
 *
 * Logits are streamed: they never exist for more than a slice of the sequence. Sums are float64.
 * @param hidden last residual stream `[N, d]` under the scenario
 * @param baseline the same under full causal attention
 */
export async function measureQuality(
  model: LoadedModel,
  comparer: PredictionComparer,
  tokens: Int32Array,
  hidden: Float32Array,
  baseline: Float32Array,
  signal: AbortSignal,
  onProgress: (fraction: number) => void,
): Promise<Quality> {
  const { width, vocabulary } = model.shape;
  const slice = Math.max(1, Math.floor(logitBytes / (4 * 6 * vocabulary)));
  const positions = tokens.length - 1;
  let loss = 0;
  let baselineLoss = 0;
  let divergence = 0;
  for (let from = 0; from < positions; from += slice) {
    throwIfCancelled(signal);
    const to = Math.min(positions, from + slice);
    const targets = BigInt64Array.from(tokens.subarray(from + 1, to + 1), BigInt);
    const rows = (stream: Float32Array): Float32Array => stream.subarray(from * width, to * width);
    const compared = await comparer.compare(model, rows(hidden), rows(baseline), targets);
    loss += sum(compared.loss);
    baselineLoss += sum(compared.baselineLoss);
    divergence += sum(compared.divergence);
    onProgress(to / positions);
  }
  return {
    perplexity: Math.exp(loss / positions),
    baselinePerplexity: Math.exp(baselineLoss / positions),
    // Rounding can take a mean of zeros a little below zero; a divergence cannot be negative.
    meanKl: Math.max(0, divergence / positions),
    positions,
  };
}

function sum(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0);
}
