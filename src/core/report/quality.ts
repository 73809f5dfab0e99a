import type { Scenario } from '../scenario/scenario';
import type { PositionsQuality, Quality } from './report';

/** Sums over scored predictions, in float64. */
export interface LossSums {
  /** Predictions. */
  readonly positions: number;
  /** Negative log-likelihoods of the next tokens, in nats. */
  readonly loss: number;
}

/** Sums over predictions that were compared with the model's under its own attention. */
export interface ComparedSums extends LossSums {
  readonly baselineLoss: number;
  /** KL(baseline || scenario), in nats. */
  readonly divergence: number;
  /** Predictions with the same most likely token. */
  readonly agreeing: number;
}

/** Sums on the two sides of the trained length: after at most as many tokens, and after more. */
export interface SplitSums<Sums extends LossSums = ComparedSums> {
  readonly within: Sums;
  readonly past: Sums;
}

/** What a mask leaves of the predictions, where the model's own attention was not run beside it. */
export interface OwnQuality extends OwnPositionsQuality {
  readonly baseline: null;
  /** As in `Quality`. */
  readonly byTraining?: { readonly trainedTokens: number; readonly within: OwnPositionsQuality; readonly past: OwnPositionsQuality };
}

export type OwnPositionsQuality = Pick<PositionsQuality, 'perplexity' | 'positions'>;

/** Adds sums or counts up, field by field: every field is a number. */
export function addSums<Sums extends object>(one: Sums, other: Sums): Sums {
  const fields = Object.keys(one) as (keyof Sums & string)[];
  return Object.fromEntries(fields.map((field) => [field, Number(one[field]) + Number(other[field])])) as unknown as Sums;
}

/** Adds both sides up. */
export function addSplitSums<Sums extends LossSums>(one: SplitSums<Sums>, other: SplitSums<Sums>): SplitSums<Sums> {
  return { within: addSums(one.within, other.within), past: addSums(one.past, other.past) };
}

/** The quality that sums give. @param baseline the model's own attention */
export function qualityOf(sums: SplitSums, baseline: Scenario, trainedTokens: number | undefined): Quality {
  return { baseline, ...meansOf(sums, trainedTokens, comparedMeans) };
}

/** The same of predictions that were compared with nothing. */
export function ownQualityOf(sums: SplitSums<LossSums>, trainedTokens: number | undefined): OwnQuality {
  return { baseline: null, ...meansOf(sums, trainedTokens, ownMeans) };
}

/** Means over all predictions, and on the two sides of the trained length where both have some. */
function meansOf<Sums extends LossSums, Means>(
  { within, past }: SplitSums<Sums>,
  trainedTokens: number | undefined,
  of: (sums: Sums) => Means,
) {
  const split = trainedTokens !== undefined && within.positions > 0 && past.positions > 0;
  return { ...of(addSums(within, past)), ...(split && { byTraining: { trainedTokens, within: of(within), past: of(past) } }) };
}

function ownMeans({ loss, positions }: LossSums): OwnPositionsQuality {
  return { perplexity: Math.exp(loss / positions), positions };
}

function comparedMeans(sums: ComparedSums): PositionsQuality {
  const { baselineLoss, divergence, agreeing, positions } = sums;
  // In the order in which reports are read and written.
  return {
    perplexity: ownMeans(sums).perplexity,
    baselinePerplexity: Math.exp(baselineLoss / positions),
    // Rounding can make a mean of zeros slightly negative; a divergence cannot be.
    meanKl: Math.max(0, divergence / positions),
    topAgreement: agreeing / positions,
    positions,
  };
}
