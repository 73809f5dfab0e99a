import type { TileMasks } from '../../core/plan/tile-masks';
import { hiddenScore } from '../attend/graphs/attend';

/** Scores to add to a tile's, `[M, M]`: 0 on visible pairs, `hiddenScore` on hidden and padded ones. @param mask its index */
export function maskScores(masks: TileMasks, mask: number): Float32Array {
  const { rows } = masks;
  const { starts, bounds } = masks.sight(mask);
  const scores = new Float32Array(rows * rows).fill(hiddenScore);
  for (let row = 0; row < rows; row += 1) {
    for (let at = starts[row]; at < starts[row + 1]; at += 2) {
      scores.fill(0, row * rows + bounds[at], row * rows + bounds[at + 1]);
    }
  }
  return scores;
}
