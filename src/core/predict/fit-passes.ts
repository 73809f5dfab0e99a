import { fitRates } from '../math/least-squares';
import type { Fit, PassRate } from './calibration';

/** A whole pass that was timed, and what its parts take by themselves, in milliseconds. */
export interface TimedPass {
  /** Which kind of pass it is: one that was repeated has the same number again. */
  readonly kind: number;
  readonly attendMs: number;
  readonly tokenwiseMs: number;
  readonly wallMs: number;
}

/** No part of a pass takes less than half of what it took in repetition: a fit that says so has mistaken one part for another. */
const leastFactor = 0.5;

/** Differences count in full up to so many standard deviations, as Huber proposed: a pass that another program held up says little. */
const fullSpreads = 1.5;

/** And beyond so many they count no more: a quiet machine has next to none there. */
const mostSpreads = 3;

/** Fits with weights from the one before: they hardly change after a few. */
const refits = 5;

/**
 * What whole passes take beside their parts, and how far single passes are from that: the residual has what the rates do not know
 * of a pass, and what varies from run to run. Both are robust, so that a few passes that were held up neither bend the rates nor
 * make intervals useless.
 *
 * @param passes of more kinds than there are rates
 */
export function fitPasses(passes: readonly TimedPass[]): PassRate & Fit {
  const features = passes.map(({ attendMs, tokenwiseMs }) => [1, attendMs, tokenwiseMs]);
  const times = passes.map(({ wallMs }) => wallMs);
  const least = [0, leastFactor, leastFactor];
  let { rates } = fitRates(features, times, least);
  // On the scale of the interval, on which twice as long and half as long are as far off.
  const differences = (): number[] =>
    features.map((row, index) => Math.log(times[index] / row.reduce((sum, entry, place) => sum + entry * rates[place], 0)));
  for (let refit = 0; refit < refits; refit += 1) {
    const off = differences();
    const full = fullSpreads * spreadOf(off);
    const weights = off.map((difference) => (Math.abs(difference) <= full ? 1 : full / Math.abs(difference)));
    ({ rates } = fitRates(features, times, least, weights));
  }
  const [startMs, attendFactor, tokenwiseFactor] = rates;
  const off = differences();
  const most = mostSpreads * spreadOf(off);
  const squares = off.reduce((sum, difference) => sum + Math.min(Math.abs(difference), most) ** 2, 0);
  // A pass that was repeated is off by the same: what the rates do not know of it is seen once for each kind.
  const kinds = new Set(passes.map(({ kind }) => kind)).size;
  const error = Math.sqrt(squares / Math.max(1, passes.length - rates.length));
  return { startMs, attendFactor, tokenwiseFactor, fit: { samples: kinds, unknowns: rates.length, error } };
}

/** The median absolute difference, scaled to the standard deviation of a normal distribution. */
function spreadOf(differences: readonly number[]): number {
  return 1.4826 * [...differences].map(Math.abs).sort((a, b) => a - b)[differences.length >> 1];
}
