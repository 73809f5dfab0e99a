import { blockEnd, blockStart } from './partition';
import type { Plan } from './plan';
import type { TileMasks } from './tile-masks';

/** Key blocks that a dispatch reads in the same way, side by side. */
export interface TileStack {
  /** The stack's first key block. */
  readonly from: number;
  /** Key blocks from there on. */
  readonly tiles: number;
  /** Index of the plan's mask for these tiles; undefined where every pair is visible. */
  readonly mask: number | undefined;
}

/**
 * One native `run()`: consecutive query blocks of one head, and the tiles they read.
 *
 * One query block may read any stacks. Several read alike: every stack has one tile for each of them, in order, or a
 * single tile that all of them read.
 */
export interface Dispatch {
  readonly firstBlock: number;
  readonly blocks: number;
  /** Where nothing is handed on to this dispatch, the first stack holds for every query a key that it sees. */
  readonly stacks: readonly TileStack[];
  /** Tiles in all, each read by one query block. */
  readonly instances: number;
  /** Whether an earlier dispatch of the query block hands its state on to this one. */
  readonly continues: boolean;
  /** Whether this dispatch hands its state on to a later one. */
  readonly continued: boolean;
}

/** Memory of one run's scores in bytes, where nothing was calibrated: about what a processor's last cache holds. */
const defaultScoreBytes = 8 * 1024 * 1024;

/** Tiles of `rows` by `rows` float32 scores that fit, at least one. */
export function tilesPerDispatch(rows: number, scoreBytes: number = defaultScoreBytes): number {
  return Math.max(1, Math.floor(scoreBytes / (4 * rows * rows)));
}

/**
 * How the tiles of one head become native runs of at most `limit` tiles, each tile read once.
 *
 * Query blocks that read alike, such as those of a window far from the start, share a run; one that reads more tiles than
 * the limit takes several runs, which hand its state on.
 */
export function dispatchesOf(plan: Plan, masks: TileMasks, limit: number): readonly Dispatch[] {
  const dispatches: Dispatch[] = [];
  let band: Band | undefined;
  for (let block = 0; block < plan.blocks; block += 1) {
    const stacks = stacksOf(plan, masks, block);
    const tiles = stacks.reduce((sum, stack) => sum + stack.tiles, 0);
    const whole = blockEnd(plan, block) - blockStart(plan, block) === masks.rows;
    const single = whole && 2 * tiles <= limit ? stacks.flatMap(separate) : undefined;
    const joined = single && band && extend(band, single, limit);
    if (joined !== undefined) {
      band = joined;
      continue;
    }
    dispatches.push(...finish(band, limit));
    band = { firstBlock: block, blocks: 1, stacks, single };
  }
  return [...dispatches, ...finish(band, limit)];
}

/** Query blocks found to read alike so far. */
interface Band {
  readonly firstBlock: number;
  readonly blocks: number;
  /** What its first query block reads. */
  readonly stacks: readonly TileStack[];
  /** The same tile by tile, where so few that more query blocks fit. */
  readonly single: readonly TileStack[] | undefined;
  /** Per tile, from the second query block on: whether it moves along with the query block. */
  readonly moves?: readonly boolean[];
}

/** The band with one more query block, or undefined where that one reads differently or the run is full. */
function extend(band: Band, next: readonly TileStack[], limit: number): Band | undefined {
  const { single, blocks, moves } = band;
  if (single?.length !== next.length || (blocks + 1) * next.length > limit) {
    return undefined;
  }
  const movesNow: boolean[] = [];
  for (const [index, { from, mask }] of next.entries()) {
    const distance = from - single[index].from;
    const consistent = (distance === blocks && moves?.[index] !== false) || (distance === 0 && moves?.[index] !== true);
    if (mask !== single[index].mask || !consistent) {
      return undefined;
    }
    movesNow.push(distance === blocks);
  }
  return { ...band, blocks: blocks + 1, moves: movesNow };
}

function finish(band: Band | undefined, limit: number): Dispatch[] {
  if (band === undefined) {
    return [];
  }
  const { firstBlock, blocks, stacks, single, moves } = band;
  if (single !== undefined && moves !== undefined) {
    const wide = single.map((stack, index) => ({ ...stack, tiles: moves[index] ? blocks : 1 }));
    return [{ firstBlock, blocks, stacks: wide, instances: blocks * wide.length, continues: false, continued: false }];
  }
  const parts = cut(stacks, limit);
  return parts.map((part, index) => ({
    firstBlock,
    blocks: 1,
    stacks: part,
    instances: part.reduce((sum, { tiles }) => sum + tiles, 0),
    continues: index > 0,
    continued: index < parts.length - 1,
  }));
}

/** Cuts stacks into parts of about equal size, of at most `limit` tiles. */
function cut(stacks: readonly TileStack[], limit: number): TileStack[][] {
  const total = stacks.reduce((sum, { tiles }) => sum + tiles, 0);
  const size = Math.ceil(total / Math.ceil(total / limit));
  const parts: TileStack[][] = [[]];
  let room = size;
  for (const { from, tiles, mask } of stacks) {
    for (let taken = 0; taken < tiles; ) {
      if (room === 0) {
        parts.push([]);
        room = size;
      }
      const count = Math.min(room, tiles - taken);
      parts[parts.length - 1].push({ from: from + taken, tiles: count, mask });
      taken += count;
      room -= count;
    }
  }
  return parts;
}

/** A stack tile by tile. */
function separate({ from, tiles, mask }: TileStack): TileStack[] {
  return Array.from({ length: tiles }, (_, index) => ({ from: from + index, tiles: 1, mask }));
}

/** What a query block reads: first its own key block, in which every query sees itself; then the others. */
function stacksOf(plan: Plan, masks: TileMasks, block: number): TileStack[] {
  const others: TileStack[] = [];
  let own: TileStack | undefined;
  const keep = (from: number, to: number, mask: number | undefined): void => {
    if (from <= block && block < to) {
      own = { from: block, tiles: 1, mask };
      keep(from, block, mask);
      keep(block + 1, to, mask);
    } else if (from < to) {
      others.push({ from, tiles: to - from, mask });
    }
  };
  for (const { from, to, kind } of plan.queryBlocks[block].runs) {
    // The last key block may be short: what it lacks is hidden.
    const short = to === plan.blocks && blockEnd(plan, to - 1) - blockStart(plan, to - 1) < masks.rows;
    const open = kind === 'partial' ? from : short ? to - 1 : to;
    keep(from, open, undefined);
    for (let keyBlock = open; keyBlock < to; keyBlock += 1) {
      keep(keyBlock, keyBlock + 1, masks.indexOf(block, keyBlock, kind === 'partial'));
    }
  }
  return own === undefined ? others : [own, ...others];
}
