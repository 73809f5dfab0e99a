import {
  type BandedMask,
  type GeneralMask,
  isSampled,
  type LayerScenario,
  type Mask,
  maskOf,
  type Range,
  StepBudget,
} from '../scenario/scenario';
import { blockEnd, blockStart, type Partition, partition } from './partition';

/**
 * How a tile reads its keys: `full` sees every pair, `partial` needs the mask, `sampled` reads a random block of keys.
 * Tiles in which no pair is visible are never part of a plan.
 */
export type TileKind = 'full' | 'partial' | 'sampled';

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

/** Theorem 4.1: query block t reads the keys tau(S_t), one block of the permuted keys. */
export function sampledRun(block: number): TileRun {
  return { from: block, to: block + 1, kind: 'sampled' };
}

/** Number of tiles in a list of runs. */
export function tileCount(runs: readonly TileRun[]): number {
  return runs.reduce((sum, run) => sum + run.to - run.from, 0);
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

/**
 * Tiles of one head of one layer, as `planLayers` counts them, without listing them: a million tokens take microseconds.
 *
 * Away from both ends of the sequence every banded mask is a band that moves along with the query, perhaps with a constant
 * prefix: the count per query block is a linear function of its position there, and only blocks near the ends are examined.
 * A mask of any other form has no such structure: its tiles are examined one by one.
 * @param budget for a mask that the user wrote
 * @throws InputError for a sequence that cannot be partitioned, or a mask that costs more than the budget
 */
export function tileTotal(scenario: LayerScenario, tokens: number, blockSize: number, budget = new StepBudget()): number {
  const cut = partition(tokens, blockSize);
  if (isSampled(scenario)) {
    return cut.blocks;
  }
  const mask = maskOf(scenario, tokens, budget);
  if ('ranges' in mask) {
    return Array.from({ length: cut.blocks }, (_, block) => tileCount(tileRuns(mask, cut, block))).reduce((sum, tiles) => sum + tiles, 0);
  }
  const sum = (from: number, to: number): number => {
    let total = 0;
    for (let block = from; block < to; block += 1) {
      total += tilesOfBlock(mask, cut, block);
    }
    return total;
  };
  const edge = Math.ceil(reachOf(scenario) / blockSize) + 2;
  const [first, last] = [edge, cut.blocks - 1 - edge];
  if (last <= first) {
    return sum(0, cut.blocks);
  }
  const middle = ((last - first + 1) * (tilesOfBlock(mask, cut, first) + tilesOfBlock(mask, cut, last))) / 2;
  return sum(0, first) + middle + sum(last + 1, cut.blocks);
}

/** Tokens from either end of the sequence within which a mask may differ from its middle. */
function reachOf(scenario: LayerScenario): number {
  return ('window' in scenario ? scenario.window : 0) + ('sinks' in scenario ? scenario.sinks : 0);
}

/** Number of key blocks with a key that some query of the block sees: those of the prefix and those of the band. */
function tilesOfBlock(mask: BandedMask, cut: Partition, queryBlock: number): number {
  const first = mask.visible(blockStart(cut, queryBlock));
  const last = mask.visible(blockEnd(cut, queryBlock) - 1);
  const bandFrom = Math.floor(first.start / cut.blockSize);
  const bandTo = Math.ceil(last.end / cut.blockSize);
  return bandTo - bandFrom + Math.min(Math.ceil(last.prefixEnd / cut.blockSize), bandFrom);
}
