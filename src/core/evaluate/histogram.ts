/**
 * A logarithmic histogram of divergences, in nats, that merges exactly and gives every quantile within `quantileError`.
 *
 * The buckets are those of DDSketch (Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile sketch with
 * relative-error guarantees", PVLDB 12(12), 2019): bucket i holds `(g^(i-1), g^i]`, with g = (1 + a) / (1 - a) for an error
 * of a. None is ever collapsed.
 */
export interface Histogram {
  /** Values up to `smallest`: a divergence of 0, and what rounding makes of it, below 0 too. They read as 0. */
  readonly zeros: number;
  /** `[bucket, values in it]`, by bucket, without empty ones. */
  readonly buckets: readonly (readonly [bucket: number, count: number])[];
  readonly infinite: number;
  /** NaN and -Infinity. */
  readonly invalid: number;
  /** The largest finite value, as it is; undefined where there is none. */
  readonly maximum: number | undefined;
}

/** Relative error of a quantile: 1%. */
export const quantileError = 0.01;
/** Values up to this many nats read as 0: float32 logits carry no smaller divergence. */
const smallest = 1e-12;
/** g: how much larger a bucket's end is than its beginning. */
export const growth = (1 + quantileError) / (1 - quantileError);
const logGrowth = Math.log(growth);

/** The histogram of `values`, in nats. */
export function histogramOf(values: Iterable<number>): Histogram {
  const buckets = new Map<number, number>();
  let [zeros, infinite, invalid, maximum] = [0, 0, 0, -Infinity];
  for (const value of values) {
    if (Number.isNaN(value) || value === -Infinity) {
      invalid += 1;
    } else if (value === Infinity) {
      infinite += 1;
    } else {
      maximum = Math.max(maximum, value);
      if (value <= smallest) {
        zeros += 1;
      } else {
        const bucket = Math.ceil(Math.log(value) / logGrowth);
        buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
      }
    }
  }
  return { zeros, buckets: byBucket(buckets), infinite, invalid, maximum: maximum === -Infinity ? undefined : maximum };
}

/** The histogram of all values of `parts`; exact, so the order does not matter. */
export function mergeHistograms(...parts: readonly Histogram[]): Histogram {
  const buckets = new Map<number, number>();
  for (const [bucket, count] of parts.flatMap((part) => part.buckets)) {
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + count);
  }
  const total = (field: 'zeros' | 'infinite' | 'invalid'): number => parts.reduce((sum, part) => sum + part[field], 0);
  const maxima = parts.flatMap(({ maximum }) => (maximum === undefined ? [] : [maximum]));
  const maximum = maxima.length === 0 ? undefined : maxima.reduce((one, other) => Math.max(one, other));
  return { zeros: total('zeros'), buckets: byBucket(buckets), infinite: total('infinite'), invalid: total('invalid'), maximum };
}

/**
 * The smallest value that at least a share `share` of all values do not exceed (the nearest rank, without interpolation),
 * within a factor of 1 ± `quantileError`; below 10^-12 as 0. NaN for no values and where one was invalid.
 *
 * @param share in (0, 1]
 */
export function quantileOf({ zeros, buckets, infinite, invalid, maximum }: Histogram, share: number): number {
  const count = zeros + infinite + buckets.reduce((sum, [, values]) => sum + values, 0);
  if (invalid > 0 || count === 0) {
    return NaN;
  }
  // The subtraction undoes what rounding adds to a product such as 0.07 * 100.
  const rank = Math.max(1, Math.ceil(share * count - 1e-9));
  let passed = zeros;
  if (rank <= passed) {
    return 0;
  }
  for (const [bucket, values] of buckets) {
    passed += values;
    if (rank <= passed) {
      // The point of the bucket whose relative distance from both its ends is the same.
      return Math.min((2 * growth ** bucket) / (1 + growth), maximum ?? Infinity);
    }
  }
  return Infinity;
}

/** The largest value; NaN for no values and where one was invalid. */
export function maximumOf({ infinite, invalid, maximum }: Histogram): number {
  return invalid > 0 ? NaN : infinite > 0 ? Infinity : (maximum ?? NaN);
}

function byBucket(buckets: ReadonlyMap<number, number>): (readonly [number, number])[] {
  return [...buckets].sort(([one], [other]) => one - other);
}
