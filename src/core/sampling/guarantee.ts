import type { SamplingConstants } from '../report/sampling';

/** Probability with which the guarantee of theorem 4.1 may fail, over the choice of the permutation. */
export const failureProbability = 0.1;

/** The probability's term in the theorem's bounds, for a failure probability of 0.1. */
const union = 40;

/**
 * Natural logarithm of the sample that guarantees a (1 + epsilon) approximation of every output with probability 0.9
 * (theorem 4.1): `M >= 8 C^4 ln(40 N) / epsilon^2` for the normaliser, `M >= 128 (ln m + ln 40 + ln N) / (epsilon D)^2` for the
 * m components of the output.
 *
 * @param tokens N
 * @param headWidth m, the components over which the proof takes its union bound
 */
export function logNeededLength({ logC, d }: SamplingConstants, tokens: number, headWidth: number, epsilon: number): number {
  const normaliser = Math.log(8 * Math.log(union * tokens)) + 4 * logC;
  const output = Math.log(128 * Math.log(union * tokens * headWidth)) - 2 * Math.log(d);
  return Math.max(normaliser, output) - 2 * Math.log(epsilon);
}

/** The epsilon that a sample of so many keys guarantees; above 1 the theorem says nothing worth having. */
export function guaranteedEpsilon(constants: SamplingConstants, tokens: number, headWidth: number, sample: number): number {
  return Math.exp((logNeededLength(constants, tokens, headWidth, 1) - Math.log(sample)) / 2);
}
