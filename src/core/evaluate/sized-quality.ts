import { text } from '../l10n';
import {
  type Estimate,
  estimateNonNegativeMean,
  exponential,
  groupsOf,
  meanOf,
  mergeMoments,
  type Moments,
  studentQuantile,
  transformed,
} from './estimate';
import type { ByText, TextWindows } from './statistics';
import { type TextSize, wordNotes } from './text-size';

/** What the loss comes to in units that do not go by the model's tokens; null where `sizeNote` says why, which it also does of an interval without an end. */
export interface SizedQuality {
  /** Loss in bits for each byte of UTF-8 text that the scored tokens cover. */
  readonly bitsPerByte: Estimate | null;
  readonly baselineBitsPerByte: Estimate | null;
  /** e to the loss for each word, between white space, as in lm-evaluation-harness. */
  readonly wordPerplexity: Estimate | null;
  readonly baselineWordPerplexity: Estimate | null;
  readonly sizeNote: string | null;
}

/** Loss by the text that scored tokens cover. @param by moments of the same texts */
export function sizedQuality(texts: readonly TextWindows[], by: ByText): SizedQuality {
  const none = (sizeNote: string): SizedQuality => ({
    ...{ bitsPerByte: null, baselineBitsPerByte: null, wordPerplexity: null, baselineWordPerplexity: null },
    sizeNote,
  });
  const unknown = texts.find(({ sizes }) => typeof sizes === 'string')?.sizes;
  if (typeof unknown === 'string') {
    return none(unknown);
  }
  if (mergeMoments(...by('loss').flat()).count === 0) {
    return none(text('The model does not predict the next token.'));
  }
  const sizes = texts.map((text) => text.sizes as readonly TextSize[]);
  const per = (measure: 'loss' | 'baselineLoss', unit: keyof TextSize): Estimate =>
    estimatePer(
      by(measure),
      sizes.map((windows) => windows.map((size) => size[unit])),
    );
  const inBits = (estimate: Estimate): Estimate => transformed(estimate, (nats) => nats / Math.LN2, 1 / Math.LN2);
  const bits = { bitsPerByte: inBits(per('loss', 'bytes')), baselineBitsPerByte: inBits(per('baselineLoss', 'bytes')) };
  if (sizes.flat().every(({ words }) => words === 0)) {
    return { ...none(wordNotes.none), ...bits };
  }
  const byWords = [exponential(per('loss', 'words')), exponential(per('baselineLoss', 'words'))];
  const [wordPerplexity, baselineWordPerplexity] = byWords.map((estimate) => (estimate.value === Infinity ? null : estimate));
  const sizeNote = byWords.some(({ value }) => value === Infinity)
    ? wordNotes.tooLarge
    : byWords.some(({ high }) => high === Infinity)
      ? wordNotes.interval
      : null;
  return { ...bits, wordPerplexity, baselineWordPerplexity, sizeNote };
}

/** A window's sum with what it is divided by. */
interface SizedMoments extends Moments {
  readonly units: number;
}

/**
 * The sum of a quantity for each of other units than positions, such as bytes: the ratio of two sums, with the error of a ratio
 * estimator as `estimateMean` has it; NaN without units.
 *
 * @param units by text and window
 */
function estimatePer(moments: readonly (readonly Moments[])[], units: readonly (readonly number[])[]): Estimate {
  const sized = moments.map((windows, text) => windows.map((window, index): SizedMoments => ({ ...window, units: units[text][index] })));
  const { clusters } = groupsOf(sized);
  const total = (windows: readonly SizedMoments[]): number => windows.reduce((sum, window) => sum + window.units, 0);
  const [positions, size] = [mergeMoments(...clusters.flat()), total(clusters.flat())];
  const share = positions.count / size;
  const mean = meanOf(positions);
  if (clusters.length < 2 || !Number.isFinite(mean)) {
    // Positions of one window are taken as independent: the error of their mean, by the units that each has.
    return transformed(estimateNonNegativeMean([positions]), (value) => value * share, share);
  }
  const value = mean * share;
  const residuals = clusters.reduce((sum, windows) => sum + (mergeMoments(...windows).sum - total(windows) * value) ** 2, 0);
  const error = Math.sqrt((clusters.length / (clusters.length - 1)) * residuals) / size;
  const reach = studentQuantile(clusters.length - 1) * error;
  return { value, error, low: Math.max(0, value - reach), high: value + reach };
}
