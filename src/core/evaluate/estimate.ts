/**
 * Sums of one quantity over positions, in float64: what a mean and its standard error need. They merge by addition.
 *
 * What is not finite is counted instead of summed, so that it survives JSON (which writes `NaN` as `null`, and `null` adds as 0).
 */
export interface Moments {
  /** Positions, those of `infinite` and `invalid` among them. */
  readonly count: number;
  /** Sum of the finite values. */
  readonly sum: number;
  /** Sum of the squares of the finite values. */
  readonly squares: number;
  /** Positions whose value is +Infinity. */
  readonly infinite: number;
  /** Positions whose value is NaN or -Infinity: no quantity measured here can be that. */
  readonly invalid: number;
}

/** The moments of no positions. */
export const noMoments: Moments = { count: 0, sum: 0, squares: 0, infinite: 0, invalid: 0 };

/** Moments that are being summed. */
export type GrowingMoments = { -readonly [Field in keyof Moments]: Moments[Field] };

/** Adds one position's value to `moments`, in place. */
export function addValue(moments: GrowingMoments, value: number): void {
  moments.count += 1;
  if (Number.isFinite(value)) {
    moments.sum += value;
    moments.squares += value * value;
  } else if (value === Infinity) {
    moments.infinite += 1;
  } else {
    moments.invalid += 1;
  }
}

/** The moments of the positions of all of `parts`, which share none. */
export function mergeMoments(...parts: readonly Moments[]): Moments {
  const merged: GrowingMoments = { ...noMoments };
  for (const part of parts) {
    merged.count += part.count;
    merged.sum += part.sum;
    merged.squares += part.squares;
    merged.infinite += part.infinite;
    merged.invalid += part.invalid;
  }
  return merged;
}

/** The mean: NaN for no positions and where a value was invalid, else Infinity where one was infinite. */
export function meanOf({ count, sum, infinite, invalid }: Moments): number {
  if (count === 0 || invalid > 0) {
    return NaN;
  }
  return infinite > 0 ? Infinity : sum / count;
}

/** How standard errors were found. */
export type ErrorSource = 'clustered by text' | 'clustered by window' | 'positions taken as independent';

/** An estimated value. `error` and the interval are NaN where they are not known: for one position, and beside NaN and Infinity. */
export interface Estimate {
  readonly value: number;
  /** Standard error. */
  readonly error: number;
  /** The 95% confidence interval. */
  readonly low: number;
  readonly high: number;
}

/** The 97.5% quantiles of Student's t with 1, 2 and 3 degrees of freedom. */
const fewDegrees = [12.706_204_736, 4.302_652_730, 3.182_446_305];

/**
 * The 97.5% quantile of Student's t, within 1e-3: half the width of a 95% interval in standard errors.
 *
 * The expansion of Fisher and Cornish about the normal quantile: Abramowitz and Stegun, "Handbook of Mathematical
 * Functions", 26.7.5.
 * @param degrees of freedom, at least 1
 */
export function studentQuantile(degrees: number): number {
  if (degrees <= fewDegrees.length) {
    return fewDegrees[degrees - 1];
  }
  const z = 1.959_963_985;
  const s = z * z;
  const terms = [
    z,
    (z * (s + 1)) / 4,
    (z * ((5 * s + 16) * s + 3)) / 96,
    (z * (((3 * s + 19) * s + 17) * s - 15)) / 384,
    (z * ((((79 * s + 776) * s + 1482) * s - 1920) * s - 945)) / 92_160,
  ];
  return terms.reduceRight((sum, term) => sum / degrees + term, 0);
}

/** Texts from which on they are the units of errors: fewer say too little of how texts differ. */
const fewestTexts = 5;

/** What a quantity's errors are found from. */
export interface Clusters<Cluster> {
  readonly source: ErrorSource;
  /** Units that have positions; where only one window has any, that one. */
  readonly clusters: readonly Cluster[];
}

/**
 * The units that are independent: texts where at least five have positions, because windows of one text are alike; else windows;
 * and positions where only one window has any.
 *
 * @param texts what was summed by text, and in it by window
 * @returns the windows of each unit
 */
export function groupsOf<Window extends Pick<Moments, 'count'>>(texts: readonly (readonly Window[])[]): Clusters<readonly Window[]> {
  const filled = texts.map((windows) => windows.filter(({ count }) => count > 0)).filter((windows) => windows.length > 0);
  const windows = filled.flat().map((window) => [window]);
  return filled.length >= fewestTexts
    ? { source: 'clustered by text', clusters: filled }
    : { source: windows.length > 1 ? 'clustered by window' : 'positions taken as independent', clusters: windows };
}

/** The moments of each unit of `groupsOf`. */
export function clustersOf(texts: readonly (readonly Moments[])[]): readonly Moments[] {
  return groupsOf(texts).clusters.map((windows) => mergeMoments(...windows));
}

/**
 * The mean over all positions, with its standard error.
 *
 * Positions of a cluster (`clustersOf`) are not independent, clusters are: with W clusters of n_w positions and sums S_w, N
 * positions in all and the mean t, `error^2 = W / (W - 1) * sum (S_w - n_w t)^2 / N^2`. It is the error of a ratio estimator
 * (Cochran, "Sampling Techniques", 3rd edition, 1977, chapter 9A) and the cluster-robust one of a mean (Cameron and Miller,
 * Journal of Human Resources 50(2), 2015; for language models: Miller, arXiv:2411.00640). The interval is that of Student's t
 * with W - 1 degrees of freedom. A single cluster: `error^2 = variance / N`, with N - 1 degrees of freedom.
 */
export function estimateMean(clusters: readonly Moments[]): Estimate {
  const filled = clusters.filter(({ count }) => count > 0);
  const all = mergeMoments(...filled);
  const value = meanOf(all);
  const units = filled.length > 1 ? filled.length : all.count;
  if (!Number.isFinite(value) || units < 2) {
    return { value, error: NaN, low: NaN, high: NaN };
  }
  const residuals = filled.reduce((sum, { sum: total, count }) => sum + (total - count * value) ** 2, 0);
  const variance =
    filled.length > 1 ? (units / (units - 1)) * (residuals / all.count ** 2) : Math.max(0, all.squares / units - value ** 2) / (units - 1);
  const error = Math.sqrt(variance);
  const reach = studentQuantile(units - 1) * error;
  return { value, error, low: value - reach, high: value + reach };
}

/** `estimateMean` of a quantity that is never below 0: neither is the interval, save where rounding took the mean itself there. */
export function estimateNonNegativeMean(clusters: readonly Moments[]): Estimate {
  const estimate = estimateMean(clusters);
  return { ...estimate, low: Math.min(estimate.value, Math.max(0, estimate.low)) };
}

/**
 * A share of positions with Wilson's interval, which stays in [0, 1] and has a width where the share is 0 or 1 (Wilson,
 * JASA 22, 1927).
 *
 * Clustered, it is that of as many independent positions as would have the share's standard error, `p (1 - p) / error^2`:
 * Kish's effective sample size (Korn and Graubard, Survey Methodology 24(2), 1998), with Student's t for the normal quantile.
 * It is never more than the positions there are; where the error is 0 (all clusters alike), it is those.
 * @param units clusters' moments of values that are 0 or 1
 */
export function estimateShare(units: readonly Moments[]): Estimate {
  const { value, error } = estimateMean(units);
  const { count } = mergeMoments(...units);
  if (!Number.isFinite(value)) {
    return { value, error, low: NaN, high: NaN };
  }
  const clusters = units.filter((unit) => unit.count > 0).length;
  const size = clusters > 1 && error > 0 ? Math.min(count, (value * (1 - value)) / error ** 2) : count;
  // Wilson's interval has its normal quantile from a variance that it knows, so a single cluster needs no Student's t.
  const quantile = clusters > 1 ? studentQuantile(clusters - 1) : studentQuantile(Infinity);
  const doubt = quantile ** 2 / size;
  const middle = (value + doubt / 2) / (1 + doubt);
  const reach = Math.sqrt(doubt * (value * (1 - value) + doubt / 4)) / (1 + doubt);
  // Rounding must not leave 1 outside of the interval of a share of 1.
  return { value, error, low: Math.min(value, Math.max(0, middle - reach)), high: Math.max(value, Math.min(1, middle + reach)) };
}

/**
 * A function of an estimated value, by the delta method: the error is multiplied by the function's slope there. The interval
 * is the function of the interval.
 *
 * @param of increasing
 * @param slope of `of` at `estimate.value`
 */
export function transformed({ value, error, low, high }: Estimate, of: (value: number) => number, slope: number): Estimate {
  // An error of 0 stays 0 where the slope is infinite: the root of 0.
  return { value: of(value), error: error === 0 ? 0 : error * slope, low: of(low), high: of(high) };
}

/** e to an estimate. */
export function exponential(estimate: Estimate): Estimate {
  return transformed(estimate, Math.exp, Math.exp(estimate.value));
}
