import { lastAtMost } from '../math/search';
import { tileCount, type TileKind, type TileRun } from './tiles';

/** One query block: the key blocks it reads, and its single-head instances of attention calls. */
export interface QueryBlock {
  readonly runs: readonly TileRun[];
  /** Number of its tiles; where they are chosen in the run, of those to choose from. */
  readonly tiles: number;
  /** Instances of all earlier query blocks, as the plan counts them. */
  readonly firstInstance: number;
  /** Its own instances: its tiles under `fused`, its patterns and their readings under a black box; those of its part of the budget where tiles are chosen. */
  readonly instances: number;
}

/**
 * The query blocks of a plan as stretches: consecutive blocks of which each moves every end of its runs, and its instances, as
 * far as the one before. `queryBlockAt` makes one of them.
 *
 * Nearly all masks make a few stretches of millions of blocks. They are columns, since the others must cross to another thread or
 * to a page as well, and an object for each run would hold either up.
 */
export interface QueryBlocks {
  /** T. */
  readonly length: number;
  /** The first block of each stretch, ascending `[stretches]`. */
  readonly firstBlock: Int32Array;
  /** The first run of each stretch, and the number of all `[stretches + 1]`. */
  readonly firstRun: Int32Array;
  /** Of each stretch: instances before it, those of its first block, and by how much they grow from block to block `[stretches, 3]`. */
  readonly instances: Float64Array;
  /** Of each run: `from` and `to` in the first block of its stretch, and by how much each grows from block to block `[runs, 4]`. */
  readonly ends: Int32Array;
  /** Index in `kinds` of each run `[runs]`. */
  readonly kinds: Uint8Array;
}

const kinds: readonly TileKind[] = ['full', 'partial', 'sampled', 'chosen'];

/** A query block, 0-based. */
export function queryBlockAt(queryBlocks: QueryBlocks, block: number): QueryBlock {
  const stretch = stretchOf(queryBlocks, block);
  const { firstBlock, firstRun, ends, instances } = queryBlocks;
  const own = block - firstBlock[stretch];
  const runs: TileRun[] = [];
  for (let run = firstRun[stretch]; run < firstRun[stretch + 1]; run += 1) {
    runs.push({
      from: ends[4 * run] + own * ends[4 * run + 2],
      to: ends[4 * run + 1] + own * ends[4 * run + 3],
      kind: kinds[queryBlocks.kinds[run]],
    });
  }
  return {
    runs,
    tiles: tileCount(runs),
    firstInstance: instancesBefore(queryBlocks, block),
    instances: instances[3 * stretch + 1] + own * instances[3 * stretch + 2],
  };
}

/** Instances of all query blocks before one, which may be the one after the last. */
export function instancesBefore(queryBlocks: QueryBlocks, block: number): number {
  const stretch = stretchOf(queryBlocks, block);
  const { firstBlock, instances } = queryBlocks;
  const own = block - firstBlock[stretch];
  return instances[3 * stretch] + own * instances[3 * stretch + 1] + (instances[3 * stretch + 2] * own * (own - 1)) / 2;
}

/**
 * Query blocks among which are the `limit` with the most instances, ascending. Within a stretch instances grow or fall evenly, so
 * that they are at one end of each.
 */
export function richestCandidates({ length, firstBlock, instances }: QueryBlocks, limit: number): number[] {
  const found: number[] = [];
  firstBlock.forEach((from, stretch) => {
    const to = firstBlock[stretch + 1] ?? length;
    const start = instances[3 * stretch + 2] > 0 ? Math.max(from, to - limit) : from;
    for (let block = start; block < Math.min(to, start + limit); block += 1) {
      found.push(block);
    }
  });
  return found;
}

/** The stretch of a block; for the one after the last, the last stretch. */
function stretchOf({ firstBlock }: QueryBlocks, block: number): number {
  return lastAtMost(firstBlock, firstBlock.length, block);
}

/** What a stretch has taken so far. */
interface OpenStretch {
  readonly firstBlock: number;
  readonly before: number;
  readonly runs: readonly TileRun[];
  readonly instances: number;
  /** The second block less the first; undefined until there is one. */
  step: { readonly from: readonly number[]; readonly to: readonly number[]; readonly instances: number } | undefined;
}

/** Gathers query blocks in order. */
export class QueryBlockWriter {
  private length = 0;
  private total = 0;
  private readonly firstBlock: number[] = [];
  private readonly firstRun: number[] = [];
  private readonly instances: number[] = [];
  private readonly ends: number[] = [];
  private readonly kinds: number[] = [];
  private open: OpenStretch | undefined;

  /** @param instances of the block, as the plan counts them */
  add(runs: readonly TileRun[], instances: number): void {
    if (!this.extends(runs, instances)) {
      this.close();
      this.open = { firstBlock: this.length, before: this.total, runs, instances, step: undefined };
    }
    this.length += 1;
    this.total += instances;
  }

  /** The blocks that were added. */
  finish(): QueryBlocks {
    this.close();
    this.open = undefined;
    return {
      length: this.length,
      firstBlock: Int32Array.from(this.firstBlock),
      firstRun: Int32Array.from([...this.firstRun, this.kinds.length]),
      instances: Float64Array.from(this.instances),
      ends: Int32Array.from(this.ends),
      kinds: Uint8Array.from(this.kinds),
    };
  }

  /** Whether a block goes on the open stretch. The second one decides how that grows. */
  private extends(runs: readonly TileRun[], instances: number): boolean {
    const { open } = this;
    if (open?.runs.length !== runs.length || runs.some(({ kind }, index) => kind !== open.runs[index].kind)) {
      return false;
    }
    open.step ??= {
      from: runs.map(({ from }, index) => from - open.runs[index].from),
      to: runs.map(({ to }, index) => to - open.runs[index].to),
      instances: instances - open.instances,
    };
    const { step } = open;
    const own = this.length - open.firstBlock;
    return (
      instances === open.instances + own * step.instances &&
      runs.every(
        ({ from, to }, index) =>
          from === open.runs[index].from + own * step.from[index] && to === open.runs[index].to + own * step.to[index],
      )
    );
  }

  private close(): void {
    const { open } = this;
    if (open === undefined) {
      return;
    }
    const { step } = open;
    this.firstBlock.push(open.firstBlock);
    this.firstRun.push(this.kinds.length);
    this.instances.push(open.before, open.instances, step?.instances ?? 0);
    open.runs.forEach(({ from, to, kind }, index) => {
      this.ends.push(from, to, step?.from[index] ?? 0, step?.to[index] ?? 0);
      this.kinds.push(kinds.indexOf(kind));
    });
  }
}
