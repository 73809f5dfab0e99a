import type { TileMasks } from '../../core/plan/tile-masks';
import { hiddenScore } from '../graphs/attend';

/** Scores to add to a tile's, `[M, M]`: 0 on visible pairs, `hiddenScore` on hidden and padded ones. @param mask its index */
export function maskScores(masks: TileMasks, mask: number): Float32Array {
  const { rows } = masks;
  const spans = masks.spans(mask);
  const scores = new Float32Array(rows * rows).fill(hiddenScore);
  for (let row = 0; row < rows; row += 1) {
    const line = scores.subarray(row * rows, (row + 1) * rows);
    line.fill(0, 0, spans[3 * row]);
    line.fill(0, spans[3 * row + 1], spans[3 * row + 2]);
  }
  return scores;
}
