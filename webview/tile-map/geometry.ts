import type { QueryBlock } from '../../src/core/plan/plan';
import type { TileKind } from '../../src/core/plan/tiles';

/** A square of `side` pixels that shows `blocks` query blocks downwards and `blocks` key blocks to the right. */
export interface Grid {
  /** T. */
  readonly blocks: number;
  /** In whole device pixels. Several blocks share a pixel where there are more blocks than pixels. */
  readonly side: number;
}

/** A half-open range of pixels or of blocks. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Rows of pixels that look the same: one query block, or all query blocks of one row of pixels. */
export interface Band {
  readonly y: Span;
  /** What is read, per kind: disjoint spans of pixels in ascending order. */
  readonly spans: Readonly<Record<TileKind, readonly Span[]>>;
}

/** A tile of the plan; blocks are 0-based. */
export interface Tile {
  readonly queryBlock: number;
  readonly keyBlock: number;
  readonly kind: TileKind;
}

/** The pixels of the blocks `[from, to)`: at least one. */
export function pixelsOf({ blocks, side }: Grid, { from, to }: Span): Span {
  const start = Math.floor((from * side) / blocks);
  const lastStart = Math.floor(((to - 1) * side) / blocks);
  return { from: start, to: Math.max(lastStart + 1, Math.floor((to * side) / blocks)) };
}

/** The blocks that a pixel shows: one, or all that share it. */
export function blocksAt({ blocks, side }: Grid, pixel: number): Span {
  const to = Math.ceil(((pixel + 1) * blocks) / side);
  return { from: Math.min(Math.ceil((pixel * blocks) / side), to - 1), to };
}

/** Pixels along one block's edge; below 1 where blocks share a pixel. */
export function cellSize({ blocks, side }: Grid): number {
  return side / blocks;
}

/** The map's picture as bands: work in proportion to the pixel rows and the runs, never to the tiles. */
export function bandsOf(queryBlocks: readonly QueryBlock[], grid: Grid): readonly Band[] {
  const bands: Band[] = [];
  for (let block = 0; block < grid.blocks; ) {
    const y = pixelsOf(grid, { from: block, to: block + 1 });
    const { to } = blocksAt(grid, y.from);
    bands.push({ y, spans: spansOf(queryBlocks.slice(block, to), grid) });
    block = to;
  }
  return bands;
}

function spansOf(queryBlocks: readonly QueryBlock[], grid: Grid): Band['spans'] {
  const spans: Record<TileKind, Span[]> = { full: [], partial: [], sampled: [] };
  for (const { runs } of queryBlocks) {
    for (const run of runs) {
      spans[run.kind].push(pixelsOf(grid, run));
    }
  }
  return { full: union(spans.full), partial: union(spans.partial), sampled: union(spans.sampled) };
}

/** Joins spans that overlap or touch. */
function union(spans: readonly Span[]): readonly Span[] {
  const joined: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last !== undefined && span.from <= last.to) {
      joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    } else {
      joined.push(span);
    }
  }
  return joined;
}

/** A tile under a pixel of the grid, or undefined where none of the pixel's blocks is read. */
export function tileAt(queryBlocks: readonly QueryBlock[], grid: Grid, x: number, y: number): Tile | undefined {
  const rows = blocksAt(grid, y);
  const columns = blocksAt(grid, x);
  for (let queryBlock = rows.from; queryBlock < rows.to; queryBlock += 1) {
    const run = queryBlocks[queryBlock].runs.find(({ from, to }) => from < columns.to && to > columns.from);
    if (run !== undefined) {
      return { queryBlock, keyBlock: Math.max(run.from, columns.from), kind: run.kind };
    }
  }
  return undefined;
}
