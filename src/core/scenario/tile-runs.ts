import { blockEnd, blockStart, type Partition } from '../plan/partition';
import type { BandedMask, GeneralMask, Mask, Range } from './mask';

/**
 * How a tile reads its keys: `full` sees every pair, `partial` needs the mask, `sampled` reads a random block of keys,
 * `chosen` is one of those from which a run chooses by content.
 * Tiles in which no pair is visible are never part of a plan.
 */
export type TileKind = 'full' | 'partial' | 'sampled' | 'chosen';

/** Consecutive key blocks `[from, to)` that one query block reads in the same way. */
export interface TileRun {
  readonly from: number;
  readonly to: number;
  readonly kind: TileKind;
}

/** The tiles of one query block as runs in ascending order, from the mask alone. */
export function tileRuns(mask: Mask, cut: Partition, queryBlock: number): readonly TileRun[] {
  return 'ranges' in mask ? generalTileRuns(mask, cut, queryBlock) : bandedTileRuns(mask, cut, queryBlock);
}

/**
 * `tileRuns` for a banded mask.
 *
 * The mask's ranges never move back as the query grows, so the block's first and last query decide: a key block is touched
 * if the union over the block's queries reaches it, and full if their intersection contains it.
 */
function bandedTileRuns(mask: BandedMask, cut: Partition, queryBlock: number): readonly TileRun[] {
  const first = mask.visible(blockStart(cut, queryBlock));
  const last = mask.visible(blockEnd(cut, queryBlock) - 1);
  const { blockSize, blocks } = cut;
  const merged = last.prefixEnd === last.start;

  const kindOf = (block: number): TileKind | undefined => {
    const from = blockStart(cut, block);
    const to = blockEnd(cut, block);
    const touched = from < last.prefixEnd || (to > first.start && from < last.end);
    if (!touched) {
      return undefined;
    }
    const always = to <= first.end && (merged || to <= last.prefixEnd || from >= last.start);
    return always ? 'full' : 'partial';
  };

  // The kind can only change at the blocks where a range begins or ends, or just after them.
  const bounds: number[] = [0];
  for (const key of [first.prefixEnd, last.prefixEnd, first.start, last.start, first.end, last.end]) {
    insert(bounds, Math.min(blocks, Math.floor(key / blockSize)));
    insert(bounds, Math.min(blocks, Math.ceil(key / blockSize)));
  }
  insert(bounds, blocks - 1);
  insert(bounds, blocks);

  const runs: TileRun[] = [];
  for (let index = 0; index + 1 < bounds.length; index += 1) {
    const kind = kindOf(bounds[index]);
    if (kind === undefined) {
      continue;
    }
    const run: TileRun = { from: bounds[index], to: bounds[index + 1], kind };
    const before = runs.at(-1);
    if (before?.kind === kind && before.to === run.from) {
      runs[runs.length - 1] = { ...before, to: run.to };
    } else {
      runs.push(run);
    }
  }
  return runs;
}

/** Inserts a value into an ascending list without duplicates. The lists are short; a plan makes one per query block. */
function insert(ascending: number[], value: number): void {
  let at = ascending.length;
  while (at > 0 && ascending[at - 1] > value) {
    at -= 1;
  }
  if (at === 0 || ascending[at - 1] !== value) {
    ascending.splice(at, 0, value);
  }
}

/**
 * The tiles of one query block under a mask of any form, as runs in ascending order.
 *
 * Ranges of key blocks are tested together, and split only if some of their pairs are visible and some are not.
 */
function generalTileRuns(mask: GeneralMask, cut: Partition, queryBlock: number): readonly TileRun[] {
  const queries: Range = { from: blockStart(cut, queryBlock), to: blockEnd(cut, queryBlock) };
  const runs: { readonly from: number; to: number; readonly kind: TileKind }[] = [];
  const add = (from: number, to: number, kind: TileKind): void => {
    const before = runs.at(-1);
    if (before?.kind === kind && before.to === from) {
      before.to = to;
    } else {
      runs.push({ from, to, kind });
    }
  };
  const walk = (from: number, to: number): void => {
    const sight = mask.sight(queries, { from: blockStart(cut, from), to: blockEnd(cut, to - 1) });
    if (sight === 'all') {
      add(from, to, 'full');
    } else if (sight === 'some' && to - from === 1) {
      add(from, to, 'partial');
    } else if (sight === 'some') {
      const middle = Math.floor((from + to) / 2);
      walk(from, middle);
      walk(middle, to);
    }
  };
  walk(0, cut.blocks);
  return runs;
}
