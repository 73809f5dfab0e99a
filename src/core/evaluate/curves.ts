import type { Estimate } from './estimate';
import type { CurveBin } from './quality-summary';

/** A value at a position in the context, with its 95% interval where it is known. */
export interface CurveValue {
  /** Tokens that the model has read, this one included: the middle of the bin, as its factors have it. */
  readonly position: number;
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
}

/** What can be drawn by position. */
const curveMeasures = {
  divergence: ({ divergence }: CurveBin) => divergence,
  perplexity: ({ loss }: CurveBin) => loss && exponential(loss),
  baselinePerplexity: ({ baselineLoss }: CurveBin) => baselineLoss && exponential(baselineLoss),
} as const;

/** A measure by position; bins in which it is not a finite number are left out. */
export function qualityCurve(curve: readonly CurveBin[], measure: keyof typeof curveMeasures): readonly CurveValue[] {
  return curve.flatMap((bin): CurveValue[] => {
    const estimate = curveMeasures[measure](bin);
    if (estimate === undefined || !Number.isFinite(estimate.value)) {
      return [];
    }
    const { value, low, high } = estimate;
    const known = Number.isFinite(low) && Number.isFinite(high);
    return [{ position: Math.sqrt((bin.from + 1) * bin.to), value, ...(known && { low: Math.max(0, low), high }) }];
  });
}

/** e to an estimate and to the ends of its interval; null, which JSON makes of what is not finite, stays not finite. */
function exponential({ value, low, high }: Estimate): Pick<Estimate, 'value' | 'low' | 'high'> {
  const exp = (exponent: number | null): number => (exponent === null ? NaN : Math.exp(exponent));
  return { value: exp(value), low: exp(low), high: exp(high) };
}
