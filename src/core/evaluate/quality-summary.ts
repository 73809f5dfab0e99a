import { text } from '../l10n';
import { nothingTouched } from '../scenario/touched';
import {
  clustersOf,
  type ErrorSource,
  type Estimate,
  estimateMean,
  estimateNonNegativeMean,
  estimateShare,
  exponential,
  groupsOf,
  meanOf,
  mergeMoments,
  type Moments,
  transformed,
} from './estimate';
import { maximumOf, mergeHistograms, quantileOf } from './histogram';
import { type SizedQuality, sizedQuality } from './sized-quality';
import { type ByText, type Measure, mergeWindows, type TextWindows, type WindowSummary } from './statistics';

/** What a mask does to a model's predictions of the next token: those of an encoder have no targets. */
interface TargetQuality {
  /** e to the mean loss. */
  readonly perplexity: Estimate;
  readonly baselinePerplexity: Estimate;
  /** ln(perplexity / baselinePerplexity): the mean of loss - baselineLoss, paired by position. */
  readonly logPerplexityRatio: Estimate;
  readonly perplexityRatio: Estimate;
  /** Mean change of the target's probability, as a share of 1. */
  readonly probabilityChange: Estimate;
  /** Root of the mean of its square. */
  readonly probabilityChangeRms: Estimate;
}

/** KL(baseline || scenario) over all positions, in nats. Quantiles are within 1% of themselves (`quantileError`). */
interface DivergenceQuality {
  readonly mean: Estimate;
  readonly median: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly maximum: number;
}

/** The positions `from` to `to - 1` of all windows: of the last bin, as far as any window has some. */
export interface CurveBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Of this bin: only one window may have got that far. */
  readonly errors: ErrorSource;
  /** Mean loss in nats; absent without targets. */
  readonly loss?: Estimate;
  readonly baselineLoss?: Estimate;
  readonly divergence: Estimate;
  /** Share of positions with the same most likely token. */
  readonly agreement: Estimate;
}

/** Quality at some of the positions. */
export interface SideQuality {
  /** Scored positions. */
  readonly positions: number;
  /** Absent where no position has a target. */
  readonly targets?: TargetQuality;
  /** Mean KL(baseline || scenario) in nats. */
  readonly divergence: Estimate;
  /** Share of positions with the same most likely token. */
  readonly agreement: Estimate;
}

/** Quality on the two sides of the trained length. */
interface SummaryByTraining {
  readonly trainedTokens: number;
  /** Positions at which the model has read at most `trainedTokens` tokens of its window. */
  readonly within: SideQuality;
  /** Positions at which it has read more. */
  readonly past: SideQuality;
}

/** Quality as the mean of texts' own means: each text counts once, however long it is. */
export interface MacroQuality {
  readonly texts: number;
  /** e to the mean of the texts' mean losses: the geometric mean of their perplexities. Absent without targets. */
  readonly perplexity?: Estimate;
  readonly baselinePerplexity?: Estimate;
  readonly divergence: Estimate;
  readonly agreement: Estimate;
}

/**
 * What a mask does to a model against the same model under its baseline attention.
 *
 * A value that is not finite (`NaN`: something measured was; `Infinity`: a token had no probability) becomes `null` in JSON;
 * `infinite` and `invalid` keep what it was.
 */
export interface QualitySummary extends SizedQuality {
  /** Texts that differ, and windows of all of them. */
  readonly texts: number;
  readonly windows: number;
  /** Scored positions. */
  readonly positions: number;
  /** How the standard errors over all positions were found. */
  readonly errors: ErrorSource;
  /** Absent where no position has a target. */
  readonly targets?: TargetQuality;
  readonly divergence: DivergenceQuality;
  /** Share of positions with the same most likely token. */
  readonly agreement: Estimate;
  /** Apart, where there are positions both within and past the length that the model was trained on; else absent. */
  readonly byTraining?: SummaryByTraining;
  /** At the positions that the mask touches alone: elsewhere nothing can differ under a window. Null where `touchedNote` says why. */
  readonly touched: SideQuality | null;
  readonly touchedNote: string | null;
  /** Absent where there is one text. */
  readonly macro?: MacroQuality;
  /** By position in the context, without ranges that no position is in. */
  readonly curve: readonly CurveBin[];
  /** Positions with an infinite loss, baseline loss or divergence: the largest count of the three. */
  readonly infinite: number;
  /** Positions with a value that is not a number; the largest count of any measure. */
  readonly invalid: number;
}

/**
 * Sums up an evaluation, in the layout of llama.cpp's report (`llama-perplexity --kl-divergence`, tools/perplexity).
 *
 * As there, the perplexities, their ratio and the root mean square get their errors by the delta method, `error(e^x) = e^x
 * error(x)` and `error(sqrt(x)) = error(x) / (2 sqrt(x))`, and the ratio is paired by position. Other than there, the error of
 * a mean is that of independent texts or windows, not positions (`groupsOf`).
 * @param texts of an evaluation, each once, their windows all with the same bins; for none, every value is NaN
 * @param trainedTokens that the model was trained on, which no bin is on both sides of; undefined where that is not known
 */
export function summariseQuality(texts: readonly TextWindows[], trainedTokens?: number): QualitySummary {
  const windows = texts.flatMap((text) => text.windows);
  const by = momentsOf(texts, ({ bins }) => bins);
  const all = (measure: Measure): Moments => mergeMoments(...by(measure).flat());
  const byTraining = trainedTokens === undefined ? undefined : summaryByTraining(texts, trainedTokens);
  const divergences = mergeHistograms(...windows.map((window) => window.divergences));
  const quantile = (share: number): number => quantileOf(divergences, share);
  const macro = macroQuality(by);
  const { divergence, ...side } = sideQuality(by);
  return {
    texts: texts.length,
    windows: windows.length,
    ...side,
    errors: groupsOf(by('divergence')).source,
    divergence: {
      mean: divergence,
      median: quantile(0.5),
      p90: quantile(0.9),
      p95: quantile(0.95),
      p99: quantile(0.99),
      p999: quantile(0.999),
      maximum: maximumOf(divergences),
    },
    ...sizedQuality(texts, by),
    ...(byTraining && { byTraining }),
    ...touchedQuality(texts),
    ...(macro && { macro }),
    curve: curveOf(texts),
    infinite: Math.max(...(['loss', 'baselineLoss', 'divergence'] as const).map((measure) => all(measure).infinite)),
    invalid: Math.max(...(['loss', 'baselineLoss', 'lossChange', 'divergence'] as const).map((measure) => all(measure).invalid)),
  };
}

/** The moments of a measure by text and window, over the parts of each window that are wanted. */
function momentsOf(texts: readonly TextWindows[], parts: (window: WindowSummary) => readonly Readonly<Record<Measure, Moments>>[]): ByText {
  return (measure) => texts.map(({ windows }) => windows.map((window) => mergeMoments(...parts(window).map((part) => part[measure]))));
}

function summaryByTraining(texts: readonly TextWindows[], trainedTokens: number): SummaryByTraining | undefined {
  const [within, past] = [
    sideQuality(momentsOf(texts, ({ bins }) => bins.filter(({ to }) => to <= trainedTokens))),
    sideQuality(momentsOf(texts, ({ bins }) => bins.filter(({ from }) => from >= trainedTokens))),
  ];
  return within.positions === 0 || past.positions === 0 ? undefined : { trainedTokens, within, past };
}

function touchedQuality(texts: readonly TextWindows[]): Pick<QualitySummary, 'touched' | 'touchedNote'> {
  if (texts.some(({ windows }) => windows.some(({ touched }) => touched === undefined))) {
    return {
      touched: null,
      touchedNote: text(
        'Which positions the mask touches is not known: keys are sampled, the mask is too costly to see row by row, or an earlier version measured it.',
      ),
    };
  }
  const touched = sideQuality(momentsOf(texts, (window) => (window.touched === undefined ? [] : [window.touched])));
  return touched.positions === 0 ? { touched: null, touchedNote: nothingTouched } : { touched, touchedNote: null };
}

function sideQuality(by: ByText): SideQuality {
  const targets = targetQuality(by);
  return {
    positions: mergeMoments(...by('divergence').flat()).count,
    ...(targets && { targets }),
    divergence: estimateNonNegativeMean(clustersOf(by('divergence'))),
    agreement: estimateShare(clustersOf(by('agreement'))),
  };
}

function targetQuality(by: ByText): TargetQuality | undefined {
  const units = (measure: Measure): readonly Moments[] => clustersOf(by(measure));
  if (units('loss').length === 0) {
    return undefined;
  }
  const logPerplexityRatio = estimateMean(units('lossChange'));
  const squaredChange = estimateNonNegativeMean(units('squaredProbabilityChange'));
  return {
    perplexity: exponential(estimateNonNegativeMean(units('loss'))),
    baselinePerplexity: exponential(estimateNonNegativeMean(units('baselineLoss'))),
    logPerplexityRatio,
    perplexityRatio: exponential(logPerplexityRatio),
    probabilityChange: estimateMean(units('probabilityChange')),
    probabilityChangeRms: transformed(squaredChange, Math.sqrt, 0.5 / Math.sqrt(squaredChange.value)),
  };
}

/** The mean of texts' means, where several have positions. */
function macroQuality(by: ByText): MacroQuality | undefined {
  const mean = (measure: Measure): Moments[] =>
    by(measure)
      .map((windows) => mergeMoments(...windows))
      .filter(({ count }) => count > 0)
      .map((text): Moments => {
        const value = meanOf(text);
        const known = Number.isFinite(value) ? value : 0;
        return {
          count: 1,
          sum: known,
          squares: known ** 2,
          infinite: Number(value === Infinity),
          invalid: Number(Number.isNaN(value)),
        };
      });
  const texts = mean('divergence').length;
  if (texts < 2) {
    return undefined;
  }
  const hasTargets = mean('loss').length > 0;
  return {
    texts,
    ...(hasTargets && {
      perplexity: exponential(estimateNonNegativeMean(mean('loss'))),
      baselinePerplexity: exponential(estimateNonNegativeMean(mean('baselineLoss'))),
    }),
    divergence: estimateNonNegativeMean(mean('divergence')),
    agreement: estimateWithin(mean('agreement')),
  };
}

/** The mean of shares, whose interval stays in [0, 1]. */
function estimateWithin(shares: readonly Moments[]): Estimate {
  const estimate = estimateNonNegativeMean(shares);
  return { ...estimate, high: Math.max(estimate.value, Math.min(1, estimate.high)) };
}

function curveOf(texts: readonly TextWindows[]): CurveBin[] {
  const windows = texts.flatMap((text) => text.windows);
  if (windows.length === 0) {
    return [];
  }
  const end = texts.reduce((most, text) => Math.max(most, text.end), 0);
  // Merged only for its check that all windows have the same bins.
  return mergeWindows(...windows).bins.flatMap(({ from, to, loss, divergence: { count } }, index): CurveBin[] => {
    const by = momentsOf(texts, ({ bins }) => [bins[index]]);
    const units = (measure: Measure): readonly Moments[] => clustersOf(by(measure));
    const losses =
      loss.count === 0
        ? {}
        : { loss: estimateNonNegativeMean(units('loss')), baselineLoss: estimateNonNegativeMean(units('baselineLoss')) };
    return count === 0
      ? []
      : [
          {
            from,
            to: Math.min(to, end),
            count,
            errors: groupsOf(by('divergence')).source,
            ...losses,
            divergence: estimateNonNegativeMean(units('divergence')),
            agreement: estimateShare(units('agreement')),
          },
        ];
  });
}
