import { makeScenario, type LayerScenario } from '../scenario/scenario';
import { candidateScenario } from './candidates';
import type { PartMasks } from './parts';

/** A uniform mask, and what its tiles are: those of a candidate. */
export interface UniformMask {
  readonly scenario: LayerScenario;
  /** Index of the candidate whose mask it is; undefined where it shows less than that. */
  readonly candidate: number | undefined;
}

/**
 * The uniform windows with sinks that an answer is compared with: those of whole tiles, with a sink and without, that are the widest of
 * at most as many tiles, and the cheapest of more; and the widest one whose window is counted in tokens, as it is usually written.
 *
 * @param tiles of a head that the answer reads, the mean over all heads
 */
export function uniformMasks({ candidates, blockSize, blocks }: PartMasks, tiles: number): readonly UniformMask[] {
  const windows = candidates.slice(0, -1);
  const lastOf = (sinkBlocks: number): number => windows.findLastIndex((each) => each.sinkBlocks === sinkBlocks && each.tiles <= tiles);
  const [bare, withSink] = [lastOf(0), lastOf(1)];
  const next = windows.findIndex((each) => each.tiles > tiles);
  const whole = [...new Set([bare, withSink, next])].filter((index) => index >= 0);
  // A window of (b - 1) M + 1 tokens touches b blocks wherever its query is.
  const counted =
    withSink < 0
      ? []
      : [makeScenario('attention-sink', { window: (windows[withSink].windowBlocks - 1) * blockSize + 1, sinks: blockSize })];
  return [
    ...whole.map((candidate) => ({ scenario: candidateScenario(candidates[candidate], blockSize, blocks), candidate })),
    ...counted.map((scenario) => ({ scenario, candidate: undefined })),
  ];
}
