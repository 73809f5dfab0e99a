import { queryBlockAt, type QueryBlocks } from '../../plan/query-blocks';
import type { TileKind } from '../../plan/tiles';
import type { TilePlace, Viewport } from './viewport';

/** A square of `side` pixels that shows a part of the map: query blocks downwards, key blocks to the right. */
export interface Grid {
  /** T. */
  readonly blocks: number;
  /** In whole device pixels. Blocks share pixels if there are more blocks than pixels. */
  readonly side: number;
  readonly shown: Viewport;
}

/** One direction of a grid: `span` blocks from `first` on, over `side` pixels. */
export interface Axis {
  readonly first: number;
  readonly span: number;
  readonly side: number;
}

/** A half-open range of pixels or of blocks. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Consecutive pixel rows that look the same: those of one query block, or one pixel row shared by several query blocks. */
export interface Band {
  readonly y: Span;
  /** What the queries read, per kind of tile: disjoint spans of pixels in ascending order. */
  readonly spans: Readonly<Record<TileKind, readonly Span[]>>;
}

/** A tile of the plan. */
export interface Tile extends TilePlace {
  readonly kind: TileKind;
}

/** The axis of the key blocks. */
export function columnsOf({ side, shown }: Grid): Axis {
  return { first: shown.left, span: shown.span, side };
}

/** The axis of the query blocks. */
export function rowsOf({ side, shown }: Grid): Axis {
  return { first: shown.top, span: shown.span, side };
}

/** The pixel in which a block begins. */
function edgeOf({ first, span, side }: Axis, block: number): number {
  return Math.floor(((block - first) * side) / span);
}

/** The pixels of the blocks `[from, to)`: at least one. Blocks that are not shown have pixels outside the side. */
export function pixelsOf(axis: Axis, { from, to }: Span): Span {
  return { from: edgeOf(axis, from), to: Math.max(edgeOf(axis, to - 1) + 1, edgeOf(axis, to)) };
}

/** The blocks at a pixel: one, or all that share it. */
export function blocksAt(axis: Axis, pixel: number): Span {
  const to = firstFrom(axis, pixel + 1);
  return { from: Math.min(firstFrom(axis, pixel), to - 1), to };
}

/** The first block that begins at a pixel or after it: by the rounding of `edgeOf`, which the inverse has not. */
function firstFrom(axis: Axis, pixel: number): number {
  let block = Math.ceil(axis.first + (pixel * axis.span) / axis.side);
  while (edgeOf(axis, block - 1) >= pixel) {
    block -= 1;
  }
  while (edgeOf(axis, block) < pixel) {
    block += 1;
  }
  return block;
}

/** The blocks that are at least partly shown: up to the first that begins past the last pixel, which may round to one more than there are. */
export function blocksShown(axis: Axis): Span {
  return { from: Math.floor(axis.first), to: firstFrom(axis, axis.side) };
}

/** Side of one block in pixels; below 1 where blocks share a pixel. */
export function cellSize({ side, shown }: Grid): number {
  return side / shown.span;
}

/** The shown picture as bands. Time is proportional to the pixel rows and the shown runs, not to the tiles. */
export function bandsOf(queryBlocks: QueryBlocks, grid: Grid): readonly Band[] {
  const bands: Band[] = [];
  const rows = rowsOf(grid);
  const shown = blocksShown(rows);
  const end = Math.min(shown.to, queryBlocks.length);
  for (let block = shown.from; block < end;) {
    const y = pixelsOf(rows, { from: block, to: block + 1 });
    const to = Math.min(end, blocksAt(rows, y.from).to);
    const spans = spansOf(queryBlocks, { from: block, to }, columnsOf(grid));
    bands.push({ y: clipped(y, grid.side), spans });
    block = to;
  }
  return bands;
}

function spansOf(queryBlocks: QueryBlocks, { from, to }: Span, columns: Axis): Band['spans'] {
  const spans: Record<TileKind, Span[]> = { full: [], partial: [], sampled: [], chosen: [] };
  for (let block = from; block < to; block += 1) {
    for (const run of queryBlockAt(queryBlocks, block).runs) {
      const pixels = clipped(pixelsOf(columns, run), columns.side);
      if (pixels.from < pixels.to) {
        spans[run.kind].push(pixels);
      }
    }
  }
  return { full: union(spans.full), partial: union(spans.partial), sampled: union(spans.sampled), chosen: union(spans.chosen) };
}

function clipped({ from, to }: Span, side: number): Span {
  return { from: Math.max(0, from), to: Math.min(side, to) };
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

/** A tile at a pixel of the grid, or undefined where none of the pixel's blocks is read. */
export function tileAt(queryBlocks: QueryBlocks, grid: Grid, x: number, y: number): Tile | undefined {
  const rows = blocksAt(rowsOf(grid), y);
  const columns = blocksAt(columnsOf(grid), x);
  for (let queryBlock = rows.from; queryBlock < Math.min(rows.to, queryBlocks.length); queryBlock += 1) {
    const run = queryBlockAt(queryBlocks, queryBlock).runs.find(({ from, to }) => from < columns.to && to > columns.from);
    if (run !== undefined) {
      return { queryBlock, keyBlock: Math.max(run.from, columns.from), kind: run.kind };
    }
  }
  return undefined;
}
