import { isBlackBox, type Construction } from '../core/construct/construction';
import { formatBytes, formatDuration } from '../core/format';
import type { PredictionReport } from '../core/predict/prediction';

/** What a plan is expected to take, or why that is not known. */
export function predictedText(prediction: PredictionReport | null, construction: Construction): string {
  if (prediction === null) {
    return isBlackBox(construction) ? `not predicted under ${construction}` : 'not known: run two-heads calibrate once';
  }
  const { wallMs, peakBytes, provider, device, threads } = prediction;
  return `${formatDuration(wallMs)}, ${formatBytes(peakBytes)} of memory at the peak on ${provider}: ${device}, ${threads} threads`;
}
