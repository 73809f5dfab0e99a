import { mergeRow, type AttentionState } from '../../../core/math/attention-state';
import { emptyLogNormaliser } from '../graphs/attend';
import type { AttentionResult } from './oracle';

/**
 * Merges the states of tiles, each of `rows` queries, into those of the queries; a row whose keys were all hidden is the empty
 * state.
 */
export function mergeTiles(state: AttentionState, { out, logNormaliser }: AttentionResult, tiles: number, rows: number): void {
  const normalisers = logNormaliser.map((value) => (value <= emptyLogNormaliser ? -Infinity : value));
  const part: AttentionState = { rows: normalisers.length, width: state.width, out, logNormaliser: normalisers };
  for (let tile = 0; tile < tiles; tile += 1) {
    for (let row = 0; row < state.rows; row += 1) {
      mergeRow(state, row, part, tile * rows + row);
    }
  }
}
