import type { TileArea } from '../../src/core/plan/call-order';
import { blocksAt, columnsOf, pixelsOf, rowsOf, type Axis, type Grid, type Span } from '../map/geometry';

/** A rectangle of a grid's pixels. */
export interface Box {
  readonly x: Span;
  readonly y: Span;
}

/** The shown part of an area in pixels: one rectangle, or along a diagonal at most one a row of pixels. */
export function boxesOf({ queries, keys, diagonal }: TileArea, grid: Grid): readonly Box[] {
  const rows = rowsOf(grid);
  const columns = columnsOf(grid);
  if (!diagonal) {
    return boxOf(pixelsOf(columns, keys), pixelsOf(rows, queries), grid.side);
  }
  const boxes: Box[] = [];
  const shown = { from: Math.max(queries.from, Math.floor(rows.first)), to: Math.min(queries.to, Math.ceil(rows.first + rows.span)) };
  for (let block = shown.from; block < shown.to;) {
    const to = Math.min(shown.to, Math.max(block + 1, endOfPixel(rows, block)));
    const shift = keys.from - queries.from;
    boxes.push(...boxOf(pixelsOf(columns, { from: block + shift, to: to + shift }), pixelsOf(rows, { from: block, to }), grid.side));
    block = to;
  }
  return boxes;
}

/** The first block that begins after the pixel in which a block begins. */
function endOfPixel(axis: Axis, block: number): number {
  return blocksAt(axis, pixelsOf(axis, { from: block, to: block + 1 }).from).to;
}

/** The rectangle, as far as it lies in the square. */
function boxOf(x: Span, y: Span, side: number): readonly Box[] {
  const inside = ({ from, to }: Span): Span => ({ from: Math.max(0, from), to: Math.min(side, to) });
  const box = { x: inside(x), y: inside(y) };
  return box.x.from < box.x.to && box.y.from < box.y.to ? [box] : [];
}
