import type { SamplingConstants } from '../report/sampling';

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
