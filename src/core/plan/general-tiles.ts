import type { GeneralMask, Range } from '../scenario/scenario';
import { blockEnd, blockStart, type Partition } from './partition';
import type { TileRun } from './tiles';

/**
 * The tiles of one query block under a mask of any form, as runs in ascending order.
 *
 * Key blocks are asked about together, and apart only where some of their pairs are visible and some are not.
 */
export function generalTileRuns(mask: GeneralMask, cut: Partition, queryBlock: number): readonly TileRun[] {
  const queries: Range = { from: blockStart(cut, queryBlock), to: blockEnd(cut, queryBlock) };
  const runs: TileRun[] = [];
  const add = (run: TileRun): void => {
    const before = runs.at(-1);
    if (before?.kind === run.kind && before.to === run.from) {
      runs[runs.length - 1] = { ...before, to: run.to };
    } else {
      runs.push(run);
    }
  };
  const walk = (from: number, to: number): void => {
    const sight = mask.sight(queries, { from: blockStart(cut, from), to: blockEnd(cut, to - 1) });
    if (sight === 'all') {
      add({ from, to, kind: 'full' });
    } else if (sight === 'some' && to - from === 1) {
      add({ from, to, kind: 'partial' });
    } else if (sight === 'some') {
      const middle = Math.floor((from + to) / 2);
      walk(from, middle);
      walk(middle, to);
    }
  };
  walk(0, cut.blocks);
  return runs;
}
