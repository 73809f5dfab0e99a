import {
  errorSource,
  type ErrorSource,
  type Estimate,
  estimateMean,
  estimateNonNegativeMean,
  estimateShare,
  mergeMoments,
  type Moments,
  transformed,
} from './estimate';
import { maximumOf, mergeHistograms, quantileOf } from './histogram';
import { type Measure, mergeWindows, type WindowSummary } from './statistics';

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

/** The positions `from` to `to - 1` of all windows. */
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

/** Quality on one side of the trained length. */
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

/**
 * What a mask does to a model against the same model under its baseline attention.
 *
 * A value that is not finite (`NaN`: something measured was; `Infinity`: a token had no probability) becomes `null` in JSON;
 * `infinite` and `invalid` keep what it was.
 */
export interface QualitySummary {
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
 * a mean is that of independent windows, not positions (`estimateMean`).
 * @param windows of an evaluation, all with the same bins; for none, every value is NaN
 * @param trainedTokens that the model was trained on, which no bin is on both sides of; undefined where that is not known
 */
export function summariseQuality(windows: readonly WindowSummary[], trainedTokens?: number): QualitySummary {
  const by = momentsOf(windows, () => true);
  const byTraining = trainedTokens === undefined ? undefined : summaryByTraining(windows, trainedTokens);
  const divergences = mergeHistograms(...windows.map((window) => window.divergences));
  const quantile = (share: number): number => quantileOf(divergences, share);
  const targets = targetQuality(by);
  return {
    windows: windows.length,
    positions: mergeMoments(...by('divergence')).count,
    errors: errorSource(by('divergence')),
    ...(targets && { targets }),
    divergence: {
      mean: estimateNonNegativeMean(by('divergence')),
      median: quantile(0.5),
      p90: quantile(0.9),
      p95: quantile(0.95),
      p99: quantile(0.99),
      p999: quantile(0.999),
      maximum: maximumOf(divergences),
    },
    agreement: estimateShare(by('agreement')),
    ...(byTraining && { byTraining }),
    curve: curveOf(windows),
    infinite: Math.max(...(['loss', 'baselineLoss', 'divergence'] as const).map((measure) => mergeMoments(...by(measure)).infinite)),
    invalid: Math.max(
      ...(['loss', 'baselineLoss', 'lossChange', 'divergence'] as const).map((measure) => mergeMoments(...by(measure)).invalid),
    ),
  };
}

/** The moments of a measure by window, over the bins that are wanted. */
function momentsOf(
  windows: readonly WindowSummary[],
  wanted: (bin: WindowSummary['bins'][number]) => boolean,
): (measure: Measure) => Moments[] {
  return (measure) => windows.map(({ bins }) => mergeMoments(...bins.filter(wanted).map((bin) => bin[measure])));
}

function summaryByTraining(windows: readonly WindowSummary[], trainedTokens: number): SummaryByTraining | undefined {
  const [within, past] = [
    sideQuality(momentsOf(windows, ({ to }) => to <= trainedTokens)),
    sideQuality(momentsOf(windows, ({ from }) => from >= trainedTokens)),
  ];
  return within.positions === 0 || past.positions === 0 ? undefined : { trainedTokens, within, past };
}

function sideQuality(by: (measure: Measure) => Moments[]): SideQuality {
  const targets = targetQuality(by);
  return {
    positions: mergeMoments(...by('divergence')).count,
    ...(targets && { targets }),
    divergence: estimateNonNegativeMean(by('divergence')),
    agreement: estimateShare(by('agreement')),
  };
}

function targetQuality(by: (measure: Measure) => Moments[]): TargetQuality | undefined {
  if (mergeMoments(...by('loss')).count === 0) {
    return undefined;
  }
  const exponential = (estimate: Estimate): Estimate => transformed(estimate, Math.exp, Math.exp(estimate.value));
  const logPerplexityRatio = estimateMean(by('lossChange'));
  const squaredChange = estimateNonNegativeMean(by('squaredProbabilityChange'));
  return {
    perplexity: exponential(estimateNonNegativeMean(by('loss'))),
    baselinePerplexity: exponential(estimateNonNegativeMean(by('baselineLoss'))),
    logPerplexityRatio,
    perplexityRatio: exponential(logPerplexityRatio),
    probabilityChange: estimateMean(by('probabilityChange')),
    probabilityChangeRms: transformed(squaredChange, Math.sqrt, 0.5 / Math.sqrt(squaredChange.value)),
  };
}

function curveOf(windows: readonly WindowSummary[]): CurveBin[] {
  if (windows.length === 0) {
    return [];
  }
  // Merged only for its check that all windows have the same bins.
  return mergeWindows(...windows).bins.flatMap(({ from, to, loss, divergence: { count } }, index): CurveBin[] => {
    const by = (measure: Measure): Moments[] => windows.map(({ bins }) => bins[index][measure]);
    const losses =
      loss.count === 0 ? {} : { loss: estimateNonNegativeMean(by('loss')), baselineLoss: estimateNonNegativeMean(by('baselineLoss')) };
    const errors = errorSource(by('divergence'));
    return count === 0
      ? []
      : [
          {
            from,
            to,
            count,
            errors,
            ...losses,
            divergence: estimateNonNegativeMean(by('divergence')),
            agreement: estimateShare(by('agreement')),
          },
        ];
  });
}
