import type { Precision } from '../options/table';

/** Half the distance from 1 to the next number of a precision: the relative error of one rounding. */
export const unitRoundoff: Readonly<Record<Precision, number>> = { float32: 2 ** -24, float16: 2 ** -11 };

/**
 * Distance of the reference above the highest score of the first tile. Weights of that tile are then at most e^-40, far from
 * float32's smallest number, and scores of other tiles may be higher by up to 40 + `largestLogSum`.
 */
export const referenceMargin = 40;

/** How far the reference of a sum may lie from its scores. */
const referenceDistance = referenceMargin + 8;

/** What a row of attention was computed from, as far as rounding depends on it. */
export interface RoundedRow {
  /** m. */
  readonly width: number;
  /** At least the sum of `|q_c k_c|` over a head's columns, for every key that the row sees. */
  readonly products: number;
  /** Whether it is a probe's: its scores are exact in every precision, its weights even, and its values 1/2 on average. */
  readonly isProbe?: boolean;
  /** Keys that a product sums, of one call or of several side by side, and calls whose states are merged. */
  readonly callKeys: number;
  readonly calls: number;
  /** Of the products. */
  readonly precision: Precision;
  /** In which products of float16 are added up: in float16 itself by default, which rounds every sum. */
  readonly accumulation?: Precision | undefined;
  /**
   * By what a construction magnifies the rounding of a sum: 1 but for `paper`, whose literal formula `A = e^c a/(1 - a)` loses
   * `A/e^c`, and whose differences of sums lose what they have in common.
   */
  readonly loss?: number;
}

/** How far a row may be from float64 attention of the same queries, keys and values by rounding alone. */
export interface RoundingBound {
  /** Of an output component, relative to the largest value in size of the head. */
  readonly relative: number;
  /** Of the log-normaliser, in nats. */
  readonly logNormaliser: number;
}

/** Standard deviations that a sum of roundings may lie from its mean: about one sum in 10^15 goes further. */
const deviations = 8;

/**
 * The bound of a row, with u for the unit roundoff of float32, p for that of the products and a for that of their sums:
 *
 * - a score: `(2 + m/2) p P + 2 u (P + 48)`, P being `products`: both factors are rounded, m products are added, and the reference is
 *   subtracted. Where sums are carried in float32, `(3 p + u m/2) P` stands for the first: they are rounded to p once. A code that is
 *   looked up by itself has equal products, whose sum grows evenly to P, and their roundings are equal too, for long stretches: they
 *   add up to `m p P / 2` at most. A sum that is as large as P from the first product on is off by `sqrt(m / 3) p P`, of which this is
 *   5 standard deviations or more for heads of 32 columns or more;
 * - a sum of weights: `8 u (sqrt(K) + sqrt(T)) L` for K keys in a product and T calls that are merged, L being `loss`: the errors of
 *   n additions that are rounded independently add up to sqrt(n) of one (Higham and Mary 2019), 8 standard deviations of it;
 * - the log-normaliser: the sum of both and `2 u (P + 48)`, rounded as it is once more;
 * - an output: twice the sum of both, numerator and denominator. In float16 weights, values and their mean are rounded to p besides,
 *   `3 p`, and weights below its normal numbers to 2^-25, of which there are M at most.
 *
 * A mean that is carried in float16 is rounded to p of what it is at each of M steps: `8 p sqrt(M)` more. That of a probe has even
 * weights, so that it grows evenly, from 0 to half the largest value: `8 p sqrt(M) / 6`, with `sqrt(M / 3) / 2` for the size of its
 * steps and `p / sqrt(3)` for the deviation of a rounding. Values of a model may be as good as equal, and their roundings with them.
 */
export function roundingBound(row: RoundedRow): RoundingBound {
  const { width, products, isProbe = false, callKeys, calls, precision, accumulation = precision, loss = 1 } = row;
  const u = unitRoundoff.float32;
  const p = unitRoundoff[precision];
  const roundedSums = accumulation === precision;
  const ofProduct = roundedSums ? (2 + width / 2) * p : 3 * p + (width / 2) * u;
  const ofScore = (isProbe ? 0 : ofProduct * products) + 2 * u * (products + referenceDistance);
  const ofSum = deviations * u * (Math.sqrt(callKeys) + Math.sqrt(calls)) * loss;
  const ofStored = precision === 'float32' ? 0 : 3 * p + callKeys * smallestFloat16;
  const ofMean = precision === 'float32' || !roundedSums ? 0 : (deviations * p * Math.sqrt(callKeys)) / (isProbe ? 6 : 1);
  return {
    relative: 2 * (ofScore + ofSum) + ofStored + ofMean,
    logNormaliser: ofScore + ofSum + 2 * u * (products + referenceDistance),
  };
}

/**
 * How far a loss may be off, in nats, that was computed from logits by two graphs in float32: both sum up d products, which are sqrt(d)
 * times as large as the largest logit R together if their signs are even, and take the logarithm of a sum over V tokens:
 * `4 u ((sqrt(d) + 2) sqrt(d) R + 48) + 8 u sqrt(V)`.
 */
export function predictionBound(width: number, vocabulary: number, largestLogit: number): number {
  const u = unitRoundoff.float32;
  const ofLogit = (Math.sqrt(width) + 2) * Math.sqrt(width) * largestLogit;
  return 4 * u * (ofLogit + referenceDistance) + deviations * u * Math.sqrt(vocabulary);
}

/** Half the distance of the smallest numbers of float16. */
const smallestFloat16 = 2 ** -25;

/** The row that uses most of what rounding allows it: of its output's bound or of its log-normaliser's, whichever it uses more of. */
export interface RoundingUse {
  /** An output's error relative to the largest value in size of the head, or a log-normaliser's in nats. */
  readonly error: number;
  /** What that row is allowed. */
  readonly bound: number;
  /** The most that any row is allowed: from 1 on, such a row proves nothing. */
  readonly largestBound: number;
}

/** The worse of two uses of bounds; an error that is not a number is the worst. */
export function worseRounding(one: RoundingUse, other: RoundingUse): RoundingUse {
  const worse = usedShare(other) <= usedShare(one) ? one : other;
  return { ...worse, largestBound: Math.max(one.largestBound, other.largestBound) };
}

/** Whether a row is off by more than rounding explains. */
export function isBeyondRounding(use: RoundingUse): boolean {
  return !(usedShare(use) <= 1);
}

/** How a row uses its bound. @param relative error of its output, relative to the largest value in size of the head */
export function roundingUse(relative: number, logNormaliser: number, bound: RoundingBound): RoundingUse {
  const ofOutput = { error: relative, bound: bound.relative, largestBound: bound.relative };
  return worseRounding(ofOutput, { error: logNormaliser, bound: bound.logNormaliser, largestBound: bound.logNormaliser });
}

function usedShare({ error, bound }: RoundingUse): number {
  const share = error === 0 ? 0 : error / bound;
  return Number.isNaN(share) ? Infinity : share;
}
