import { isBlackBox, type Construction } from '../core/constructions';
import { largestTokens, type BreakEven } from '../core/device/break-even';
import { formatBytes, formatCount, formatDuration } from '../core/format';
import type { PredictionReport } from '../core/report/prediction';

/** What a plan is expected to take, or why that is not known. */
export function predictedText(prediction: PredictionReport | null, construction: Construction): string {
  if (prediction === null) {
    return isBlackBox(construction) ? `not predicted under ${construction}` : 'not known: run two-heads calibrate once';
  }
  const { wallMs, peakBytes, provider, device, threads } = prediction;
  return `${formatDuration(wallMs)}, ${formatBytes(peakBytes)} of memory at the peak on ${provider}: ${device}, ${threads} threads`;
}

/** From when on the simulation is faster than dense attention, and what both take here. */
export function breakEvenText({ attentionMs, denseMs, fromTokens }: BreakEven): string {
  const here = `attention ${formatDuration(attentionMs)} against ${formatDuration(denseMs)} as one dense causal call`;
  return fromTokens === undefined
    ? `${here}; dense attention is faster at every length up to ${formatCount(largestTokens)} tokens`
    : `${here}; faster from ${formatCount(fromTokens)} tokens on`;
}
