import { type TextSize, wordNotes } from '../evaluate/text-size';
import { t } from '../l10n';
import type { Scenario } from '../scenario/scenario';
import { nothingTouched } from '../scenario/touched';
import type { PositionsQuality, Quality } from './report';

/** What stands in place of a divergence of 0 where a run is its own baseline. */
export function ownBaselineText(): string {
  return t("the model's own attention, which is its own baseline; --baseline dense computes it another way");
}

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
  /** Of both sides, at the positions that the mask touches; a sentence where they are not known. */
  readonly touched: Sums | string;
}

/** What quality depends on besides sums. */
export interface QualityScope {
  /** Which positions were scored, as `--score` has it. */
  readonly score: string;
  /** How much text the scored tokens cover, or why that is not known. */
  readonly size: TextSize | string;
  /** The model's own attention. */
  readonly baseline: Scenario;
  readonly trainedTokens: number | undefined;
}

/** What a mask leaves of the predictions, where the model's own attention was not run beside it. */
export interface OwnQuality
  extends OwnPositionsQuality, Pick<Quality, 'score' | 'bitsPerByte' | 'wordPerplexity' | 'sizeNote' | 'touchedNote'> {
  readonly baseline: null;
  readonly touched?: OwnPositionsQuality | null;
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
  const unknown = [one.touched, other.touched].find((touched) => typeof touched === 'string');
  return {
    within: addSums(one.within, other.within),
    past: addSums(one.past, other.past),
    touched: typeof unknown === 'string' ? unknown : addSums(one.touched as Sums, other.touched as Sums),
  };
}

/** The quality that sums give. */
export function qualityOf(sums: SplitSums, scope: QualityScope): Quality {
  const { baselineLoss } = addSums(sums.within, sums.past);
  const baseline = sizedMeans(baselineLoss, scope.size);
  const means = meansOf(sums, scope, comparedMeans);
  return {
    baseline: scope.baseline,
    ...means,
    sizeNote: means.sizeNote ?? baseline.sizeNote,
    baselineBitsPerByte: baseline.bitsPerByte,
    baselineWordPerplexity: baseline.wordPerplexity,
  };
}

/** The same of predictions that were compared with nothing. */
export function ownQualityOf(sums: SplitSums<LossSums>, scope: QualityScope): OwnQuality {
  return { baseline: null, ...meansOf(sums, scope, ownMeans) };
}

/** Means over all predictions, on the two sides of the trained length where both have some, and at touched positions. */
function meansOf<Sums extends LossSums, Means>(
  { within, past, touched }: SplitSums<Sums>,
  { trainedTokens, score, size }: QualityScope,
  of: (sums: Sums) => Means,
) {
  const split = trainedTokens !== undefined && within.positions > 0 && past.positions > 0;
  const all = addSums(within, past);
  const untouched = typeof touched === 'string' ? touched : touched.positions === 0 ? nothingTouched : null;
  return {
    ...of(all),
    ...(split && { byTraining: { trainedTokens, within: of(within), past: of(past) } }),
    score,
    touched: untouched === null ? of(touched as Sums) : null,
    touchedNote: untouched,
    ...sizedMeans(all.loss, size),
  };
}

/** A sum of losses by the text that it is of. */
function sizedMeans(
  loss: number,
  size: TextSize | string,
): { readonly bitsPerByte: number | null; readonly wordPerplexity: number | null; readonly sizeNote: string | null } {
  if (typeof size === 'string') {
    return { bitsPerByte: null, wordPerplexity: null, sizeNote: size };
  }
  const bitsPerByte = size.bytes === 0 ? null : loss / Math.LN2 / size.bytes;
  const byWord = Math.exp(loss / size.words);
  const sizeNote = size.words === 0 ? wordNotes.none : byWord === Infinity ? wordNotes.tooLarge : null;
  return { bitsPerByte, wordPerplexity: sizeNote === null ? byWord : null, sizeNote };
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
    // Sums of earlier versions may be slightly negative by rounding; a divergence cannot be.
    meanKl: Math.max(0, divergence / positions),
    topAgreement: agreeing / positions,
    positions,
  };
}
