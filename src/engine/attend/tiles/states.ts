import { type AttentionState, mergeRow } from '../../../core/math/attention-state';
import { blockEnd, blockStart } from '../../../core/plan/partition';
import type { LayerPlan } from '../../../core/plan/plan';
import { isSampled } from '../../../core/scenario/scenario';
import { emptyLogNormaliser } from '../graphs/attend';
import type { AttentionResult } from './oracle';

/**
 * Merges the states of tiles, each of `rows` queries, into one state per query; a row whose keys were all hidden is the
 * empty state.
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

/**
 * Merges the learned sink of each head into the states of its queries, in place: a state over one more key, whose value is 0 and
 * whose score is the same for every query. So `out` shrinks by the share of the weights that the sink takes,
 * `out sigmoid(logNormaliser - sink)`, whatever keys a mask left to the query, and however their state was computed.
 *
 * @param state `H` heads one after the other, `[H rows, m]`
 * @param sinks scores `[H]`
 */
export function mergeSinks(state: AttentionState, sinks: Float32Array): void {
  const { width } = state;
  const sink: AttentionState = { rows: sinks.length, width, out: new Float32Array(sinks.length * width), logNormaliser: sinks };
  const rows = state.rows / sinks.length;
  for (let row = 0; row < state.rows; row += 1) {
    mergeRow(state, row, sink, Math.floor(row / rows));
  }
}

/** Theorem 4.1: the sum over all keys is estimated as the sample's sum times N over the sample's size. */
export function rescaleSample(plan: LayerPlan, logNormaliser: Float64Array): void {
  if (!isSampled(plan.scenario)) {
    return;
  }
  const { tokens } = plan;
  for (let row = 0; row < logNormaliser.length; row += 1) {
    const block = Math.floor((row % tokens) / plan.blockSize);
    logNormaliser[row] += Math.log(tokens / (blockEnd(plan, block) - blockStart(plan, block)));
  }
}
