import type { Range } from '../scenario/scenario';
import { blockEnd, blockStart } from './partition';
import type { LayerPlan, Plan } from './plan';
import { queryBlockAt } from './query-blocks';

/**
 * Maps a tile's mask to an index; equal masks get the same one. `partial` tells whether the scenario hides pairs, or only
 * the end of the block does.
 */
export type MaskIndex = (queryBlock: number, keyBlock: number, partial: boolean) => number;

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
  /** Unless it continues, the first stack has for every query a key that it sees: itself, unless the plan samples. */
  readonly stacks: readonly TileStack[];
  /** Open tiles that only one query block reads, for each of several in order; empty if there are none. */
  readonly further: readonly (TileStack | undefined)[];
  /** Tiles in all, each read by one query block. */
  readonly instances: number;
  /** Whether it continues the sums of an earlier dispatch for its query block. */
  readonly continues: boolean;
  /** Whether later dispatches continue its sums. */
  readonly continued: boolean;
}

/** Queries and keys of a tile: M, or N where the block is longer than the sequence. */
export function tileRows({ tokens, blockSize }: Pick<Plan, 'tokens' | 'blockSize'>): number {
  return Math.min(tokens, blockSize);
}

/** Most tiles of a query block that are shared one by one, because each is an input of the run's graph. */
const mostShared = 32;

/** Most pairs in the run of several query blocks: some 20 ms on two cores, because a run cannot be cancelled. */
const mostPairs = 2 ** 24;

/**
 * How the tiles of one head become native runs, each tile read once, at most `limit` of them at the same time.
 *
 * Query blocks that read alike share a run: under a window, far from the start, all of their tiles; under causal attention
 * at least their own key block. The remaining tiles of a query block, all open, are part of that run where they are few, and follow
 * in runs of their own where they are not.
 *
 * @param blocks the query blocks whose tiles are wanted
 */
export function dispatchesOf(
  plan: LayerPlan,
  maskIndex: MaskIndex,
  limit: number,
  blocks: Range = { from: 0, to: plan.blocks },
): readonly Dispatch[] {
  const dispatches: Dispatch[] = [];
  for (const band of dispatchBands(plan, maskIndex, limit, blocks.from, blocks.to)) {
    append(band, limit, dispatches);
  }
  return dispatches;
}

/**
 * The query blocks in consecutive bands that read alike: native runs are made from these.
 *
 * @param from the first query block of the band to start with
 * @param to the one after the last of all
 */
export function* dispatchBands(
  plan: LayerPlan,
  maskIndex: MaskIndex,
  limit: number,
  from = 0,
  to = plan.blocks,
): Generator<DispatchBand, void> {
  // A short last key block is separate in memory: it cannot be part of a stack of several tiles.
  const short = plan.tokens < plan.blocks * tileRows(plan) ? plan.blocks - 1 : undefined;
  const limits: BandLimits = { limit, mostTiles: mostPairs / tileRows(plan) ** 2, short };
  let band: Band | undefined;
  for (let block = from; block < to; block += 1) {
    const reading = readingOf(plan, maskIndex, block, limit);
    if (band === undefined || !(extend(band, reading, 'all', limits) || extend(band, reading, 'near', limits))) {
      if (band !== undefined) {
        yield band;
      }
      band = { firstBlock: block, readings: [reading], tiles: 0, shared: undefined, moves: [] };
    }
  }
  if (band !== undefined) {
    yield band;
  }
}

/** How many native runs a band becomes, without building them. */
export function dispatchCount({ readings, shared }: DispatchBand, limit: number): number {
  const parts = (stacks: readonly TileStack[]): number => Math.ceil(tileSum(stacks) / limit);
  const [first] = readings;
  if (shared === undefined) {
    return parts(first.stacks);
  }
  return 1 + (shared === 'near' && !isFew(first, limit) ? readings.reduce((sum, { far }) => sum + parts(far), 0) : 0);
}

/** Which tiles share a run across query blocks that read alike: all of them, or only the near ones. */
type Shared = 'all' | 'near';

/** The tiles that a query block reads. */
interface Reading {
  /** Its own key block first, then all others, tile by tile; undefined if there are too many to share a run. */
  readonly all: readonly TileStack[] | undefined;
  /**
   * Its own key block and those with a mask, tile by tile; undefined if its own block is short, because no other reads like
   * it.
   */
  readonly near: readonly TileStack[] | undefined;
  /** The other tiles. */
  readonly far: readonly TileStack[];
  /** The near and the far ones. */
  readonly stacks: readonly TileStack[];
}

/** Consecutive query blocks that read alike. */
interface DispatchBand {
  readonly firstBlock: number;
  readonly readings: readonly Reading[];
  /** From the second query block on: what is shared, and which of the stacks move along with the query block. */
  readonly shared: Shared | undefined;
  readonly moves: readonly boolean[];
}

/** A band so far; grows in place, because a long prompt has many query blocks. */
interface Band extends DispatchBand {
  readonly readings: Reading[];
  /** That its run reads, if it has several query blocks. */
  tiles: number;
  shared: Shared | undefined;
  moves: readonly boolean[];
}

/** What a band must keep to. */
interface BandLimits {
  /** Query blocks, and far tiles of one of them that are read in the same run. */
  readonly limit: number;
  readonly mostTiles: number;
  /** A last key block that is short. */
  readonly short: number | undefined;
}

/** Whether the far tiles of a query block fit into the run of its near ones: they are read at once. */
function isFew({ far }: Reading, limit: number): boolean {
  return far.length <= 1 && tileSum(far) <= limit;
}

function readingOf(plan: Plan, maskIndex: MaskIndex, block: number, limit: number): Reading {
  const stacks = stacksOf(plan, maskIndex, block);
  const whole = blockEnd(plan, block) - blockStart(plan, block) === tileRows(plan);
  const far = stacks.slice(1).filter(({ mask }) => mask === undefined);
  return {
    all: whole && limit > 1 && tileSum(stacks) <= mostShared ? stacks.flatMap(separate) : undefined,
    near: whole ? stacks.filter((stack) => !far.includes(stack)) : undefined,
    far,
    stacks,
  };
}

/** Adds a query block to a band; returns false if that block reads differently or the run is full. */
function extend(band: Band, reading: Reading, shared: Shared, { limit, mostTiles, short }: BandLimits): boolean {
  const [first] = band.readings;
  const [before, next] = [first[shared], reading[shared]];
  const blocks = band.readings.length;
  const few = isFew(first, limit);
  const possible =
    (band.shared ?? shared) === shared &&
    before !== undefined &&
    before.length === next?.length &&
    (shared === 'all' || few === isFew(reading, limit));
  if (!possible || blocks >= limit) {
    return false;
  }
  const tilesOf = (one: Reading): number => before.length + (shared === 'near' && few ? tileSum(one.far) : 0);
  const tiles = (blocks === 1 ? tilesOf(first) : band.tiles) + tilesOf(reading);
  if (tiles > mostTiles) {
    return false;
  }
  const moves = before.map((tile, index) => {
    const distance = next[index].from - tile.from;
    const consistent = blocks === 1 ? distance === 0 || distance === 1 : distance === (band.moves[index] ? blocks : 0);
    const apart = distance > 0 && next[index].from === short;
    return consistent && !apart && next[index].mask === tile.mask ? distance > 0 : undefined;
  });
  if (!moves.every((move) => move !== undefined)) {
    return false;
  }
  band.readings.push(reading);
  band.tiles = tiles;
  band.shared = shared;
  band.moves = moves;
  return true;
}

/** The runs of one band. */
export function dispatchesOfBand(band: DispatchBand, limit: number): readonly Dispatch[] {
  const dispatches: Dispatch[] = [];
  append(band, limit, dispatches);
  return dispatches;
}

/** Appends the runs of a band: one for the tiles that its query blocks share, then each block's own. */
function append({ firstBlock, readings, shared, moves }: DispatchBand, limit: number, dispatches: Dispatch[]): void {
  const [first] = readings;
  const together = shared && first[shared];
  if (together === undefined) {
    dispatches.push(...partsOf(firstBlock, first.stacks, limit, false));
    return;
  }
  const blocks = readings.length;
  const stacks = together.map((stack, index) => ({ ...stack, tiles: moves[index] ? blocks : 1 }));
  const few = isFew(first, limit);
  const further = shared === 'near' && few && readings.some(({ far }) => far.length > 0) ? readings.map(({ far }) => far.at(0)) : [];
  const continued = shared === 'near' && !few;
  const instances = blocks * stacks.length + tileSum(further.filter((stack) => stack !== undefined));
  dispatches.push({ firstBlock, blocks, stacks, further, instances, continues: false, continued });
  if (continued) {
    readings.forEach(({ far }, index) => dispatches.push(...partsOf(firstBlock + index, far, limit, true)));
  }
}

/** One query block's stacks as runs. */
function partsOf(firstBlock: number, stacks: readonly TileStack[], limit: number, continues: boolean): Dispatch[] {
  const parts = cut(stacks, limit);
  return parts.map((part, index) => ({
    firstBlock,
    blocks: 1,
    stacks: part,
    further: [],
    instances: tileSum(part),
    continues: continues || index > 0,
    continued: index < parts.length - 1,
  }));
}

function tileSum(stacks: readonly TileStack[]): number {
  return stacks.reduce((sum, { tiles }) => sum + tiles, 0);
}

/** Cuts stacks into parts of about equal size, of at most `limit` tiles. */
function cut(stacks: readonly TileStack[], limit: number): TileStack[][] {
  const total = tileSum(stacks);
  const size = Math.ceil(total / Math.ceil(total / limit));
  const parts: TileStack[][] = [[]];
  let room = size;
  for (const { from, tiles, mask } of stacks) {
    for (let taken = 0; taken < tiles;) {
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

/** A stack as single tiles. */
function separate({ from, tiles, mask }: TileStack): TileStack[] {
  return Array.from({ length: tiles }, (_, index) => ({ from: from + index, tiles: 1, mask }));
}

/** The stacks of a query block: first its own key block, in which every query sees itself; then the others. */
function stacksOf(plan: Plan, maskIndex: MaskIndex, block: number): TileStack[] {
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
  for (const { from, to, kind } of queryBlockAt(plan.queryBlocks, block).runs) {
    // The last key block may be short: its missing keys are hidden.
    const short = to === plan.blocks && blockEnd(plan, to - 1) - blockStart(plan, to - 1) < tileRows(plan);
    const open = kind === 'partial' ? from : short ? to - 1 : to;
    keep(from, open, undefined);
    for (let keyBlock = open; keyBlock < to; keyBlock += 1) {
      keep(keyBlock, keyBlock + 1, maskIndex(block, keyBlock, kind === 'partial'));
    }
  }
  return own === undefined ? others : [own, ...others];
}

/**
 * A stack in parts of a power of two tiles. ONNX Runtime keeps memory for each shape of scores from its first use to its
 * last: shapes of 1, 2, 3, ... tiles need O(N^2) in all, powers of two at most twice the largest.
 */
export function inPowersOfTwo({ from, tiles, mask }: TileStack): TileStack[] {
  const parts: TileStack[] = [];
  for (let taken = 0; taken < tiles;) {
    const count = 2 ** Math.floor(Math.log2(tiles - taken));
    parts.push({ from: from + taken, tiles: count, mask });
    taken += count;
  }
  return parts;
}
