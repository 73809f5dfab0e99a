/** What theorem 4.1 is asked to guarantee. */
export interface Guarantee {
  /** Largest relative error of an output. */
  readonly epsilon: number;
  /** Probability with which it may be missed, over the choice of the permutation. */
  readonly failureProbability: number;
}

/** The probability that the theorem itself states. */
export const statedFailureProbability = 0.1;

/**
 * Natural logarithm of the sample that guarantees a (1 + epsilon) approximation of every output with probability 1 - delta
 * (theorem 4.1): `M >= 8 C^4 ln(4 N/delta) / epsilon^2` for the normaliser, `M >= 128 ln(4 m N/delta) / (epsilon D)^2` for the m
 * components of the output.
 *
 * The theorem has delta = 0.1, and 40 where this has 4/delta: its union bound takes half of delta for each of the two, and
 * two tails.
 *
 * @param tokens N
 * @param headWidth m, the components over which the proof takes its union bound
 */
export function logNeededLength(
  { logC, d }: SamplingConstants,
  tokens: number,
  headWidth: number,
  { epsilon, failureProbability }: Guarantee,
): number {
  const union = Math.log(4 / failureProbability) + Math.log(tokens);
  const normaliser = Math.log(8 * union) + 4 * logC;
  const output = Math.log(128 * (union + Math.log(headWidth))) - 2 * Math.log(d);
  return Math.max(normaliser, output) - 2 * Math.log(epsilon);
}

/** The epsilon that a sample of so many keys guarantees with probability 0.9; above 1 the theorem says nothing worth having. */
export function guaranteedEpsilon(constants: SamplingConstants, tokens: number, headWidth: number, sample: number): number {
  const atOne = { epsilon: 1, failureProbability: statedFailureProbability };
  return Math.exp((logNeededLength(constants, tokens, headWidth, atOne) - Math.log(sample)) / 2);
}

/** Natural logarithm of the epsilon that theorem 4.1 guarantees for the sample of a report, in the head that asks for most. */
export function guaranteedByTheorem({ epsilon, logNeededLength: needed, sample }: SamplingReport): number {
  return Math.log(epsilon) + (needed - Math.log(sample)) / 2;
}

/**
 * How far the keys of a row lie apart, over the rows of a head that were looked at: weights a_j relative to their mean, and
 * `a_j |b_j - out|` relative to the mean weight and to `|out|`.
 */
export interface SampleSpread {
  /** Standard deviation over keys, and largest entry. */
  readonly output: { readonly deviation: number; readonly largest: number };
  readonly normaliser: { readonly deviation: number; readonly largest: number };
}

/**
 * The relative errors that the output and the normaliser of a uniform sample without replacement stay within in every one of `trials`
 * rows, with probability `1 - failureProbability`: Bernstein's inequality, which holds without replacement too (Bardenet and
 * Maillard, Bernoulli 21(3), 2015), on the sum and on the normaliser that it is divided by. The output's is infinite where the
 * normaliser itself may be lost.
 *
 * @param sample keys that a query reads, of N tokens
 * @param trials rows, over all heads, layers and seeds
 */
export function statisticalErrors(
  { output, normaliser }: SampleSpread,
  tokens: number,
  sample: number,
  trials: number,
  failureProbability: number,
): { readonly output: number; readonly normaliser: number } {
  if (sample >= tokens) {
    return { output: 0, normaliser: 0 };
  }
  const log = Math.log((2 * trials) / failureProbability);
  const reach = ({ deviation, largest }: SampleSpread['output'], mean: number): number =>
    deviation * Math.sqrt((1 - sample / tokens) / sample) * (mean + Math.sqrt(2 * log)) + (largest * log) / (3 * sample);
  const lost = reach(normaliser, 0);
  // The norm of a vector has a mean of its own: one standard deviation.
  return { output: lost < 1 ? reach(output, 1) / (1 - lost) : Infinity, normaliser: lost };
}

/**
 * The mean square that the relative error of a sum has, if it is estimated from a uniform sample without replacement.
 *
 * @param deviation of the terms relative to their mean, over all keys
 * @param sample keys that a query reads, of N tokens
 */
export function expectedSquare(deviation: number, tokens: number, sample: number): number {
  return (deviation ** 2 * (1 - sample / tokens)) / sample;
}

/** Squared errors of a trial, each relative to what `expectedSquare` says of it: their means, 1 for a right estimator. */
export interface SquareRatios {
  readonly normaliser: number;
  readonly output: number;
  /** How many numbers that are independent of one another either mean is of, at least. */
  readonly independent: number;
}

/** The probability with which a check by statistics alone may find fault with what is right. */
export const falseAlarmProbability = 1e-6;

/**
 * What the mean of so many independent squares of normal numbers stays within, but for `falseAlarmProbability`: Laurent and Massart,
 * Annals of Statistics 28(5), 2000, lemma 1. Sums over a sample without replacement have lighter tails than normal ones.
 */
export function squareRatioRange(independent: number): { readonly from: number; readonly to: number } {
  const log = Math.log(2 / falseAlarmProbability) / independent;
  return { from: Math.max(0, 1 - 2 * Math.sqrt(log)), to: 1 + 2 * Math.sqrt(log) + 2 * log };
}

/** The constants of theorem 4.1's assumption, as measured on one head. */
export interface SamplingConstants {
  /** Natural logarithm of C: the smallest C with `1/C <= a_ij <= C` for the scores that were looked at. */
  readonly logC: number;
  /** D: the largest D with `D N max_j |b_ij| <= |sum_j b_ij|` for the queries that were looked at. */
  readonly d: number;
}

/** One head's constants and the M that the theorem asks of them. */
export interface HeadSampling extends SamplingConstants {
  /** 0-based. */
  readonly layer: number;
  /** 0-based. */
  readonly head: number;
  /** Natural logarithm of the M that guarantees `epsilon`; a logarithm, because real models drive it past any number. */
  readonly logNeededLength: number;
  /** Whether this run's sample is that large: whether the assumption holds here. */
  readonly holds: boolean;
}

/** How far a seed's estimates lay from exact attention: the largest relative error of any row looked at. */
export interface ErrorSpread {
  readonly minimum: number;
  readonly median: number;
  /** The error that nine in ten seeds stay under. */
  readonly ninetiethPercentile: number;
  readonly maximum: number;
}

/** What theorem 4.1 promises, and what was seen. */
export interface SamplingReport {
  /** What the tensors were. */
  readonly data: string;
  /** N. */
  readonly tokens: number;
  /** Keys that a query block reads. */
  readonly sample: number;
  /** The relative error to be guaranteed. */
  readonly epsilon: number;
  /** Probability with which the guarantee may fail. */
  readonly failureProbability: number;
  /** Query rows looked at, per head and layer. */
  readonly rows: number;
  readonly heads: readonly HeadSampling[];
  /** Whether the assumption holds in every head. */
  readonly holds: boolean;
  /** Natural logarithm of the largest M that any head asks for. */
  readonly logNeededLength: number;
  readonly seeds: number;
  /** Relative error per seed, the largest over rows, heads and layers. */
  readonly errors: ErrorSpread;
  /**
   * The relative error that statistics expect all of these rows and seeds to stay within, with the same probability
   * (`statisticalErrors`); absent in reports of versions that did not find it.
   */
  readonly statisticalError?: number | undefined;
  /** What float32 rounding may add to the error of any of these rows; absent in reports of versions that did not find it. */
  readonly roundingError?: number | undefined;
  /** Absent where nothing says how many of the errors are independent: of a run, and of versions that did not find them. */
  readonly squareRatios?: SquareRatios | undefined;
  /** Seeds all of whose rows stayed within `epsilon`. */
  readonly within: number;
}
