import { formatCount } from '../../format';
import type { TileArea } from '../../plan/call-order';
import { type Axis, blocksAt, blocksShown, columnsOf, type Grid, pixelsOf, rowsOf, type Span } from './geometry';
import type { Viewport } from './viewport';

/** Position of the grid in its canvas. All lengths are in device pixels. */
export interface MapLayout {
  readonly grid: Grid;
  /** Left and top edge of the grid; the axes lie outside them. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Device pixels per CSS pixel. */
  readonly ratio: number;
}

/** Largest side of the grid, and of one block, in CSS pixels. */
const largestSide = 460;
const largestCell = 40;
/** Room for the cursor's marks between axis labels and grid, and for outlines at the far edges, in CSS pixels. */
export const markSize = 7;
const margin = 3;

/** Font size along the axes in CSS pixels. */
export function axisFontSize({ fontSize }: { readonly fontSize: number }): number {
  return Math.max(10, fontSize - 2);
}

/** Fits the map of `blocks` blocks into `width` CSS pixels. The part `shown` does not change its size. */
export function layoutOf(blocks: number, shown: Viewport, width: number, font: { readonly fontSize: number }, ratio: number): MapLayout {
  const size = axisFontSize(font);
  const labelWidth = formatCount(blocks).length * size * 0.62;
  const left = Math.round((labelWidth + markSize + 4) * ratio);
  const top = Math.round((size + markSize + 5) * ratio);
  const room = Math.floor((width - margin) * ratio) - left;
  const side = Math.max(16, Math.min(room, Math.floor(largestSide * ratio), Math.floor(blocks * largestCell * ratio)));
  const far = Math.round(margin * ratio);
  return { grid: { blocks, side, shown }, left, top, width: left + side + far, height: top + side + far, ratio };
}

/** A rectangle of a grid's pixels. */
export interface Box {
  readonly x: Span;
  readonly y: Span;
}

/** The shown part of an area in pixels: one rectangle, or for a diagonal at most one per pixel row. */
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

/** The first block that begins after the pixel in which `block` begins. */
function endOfPixel(axis: Axis, block: number): number {
  return blocksAt(axis, pixelsOf(axis, { from: block, to: block + 1 }).from).to;
}

/** The part of the rectangle that lies in the square. */
function boxOf(x: Span, y: Span, side: number): readonly Box[] {
  const inside = ({ from, to }: Span): Span => ({ from: Math.max(0, from), to: Math.min(side, to) });
  const box = { x: inside(x), y: inside(y) };
  return box.x.from < box.x.to && box.y.from < box.y.to ? [box] : [];
}

/**
 * Shown blocks that get a label, 0-based: the first of the map, and one every 1, 2 or 5 times a power of ten, at least
 * `room` pixels apart.
 */
export function labelledBlocks(axis: Axis, room: number): readonly number[] {
  const atLeast = (room * axis.span) / axis.side;
  const power = 10 ** Math.max(0, Math.floor(Math.log10(atLeast)));
  const step = [1, 2, 5, 10].map((times) => times * power).find((candidate) => candidate >= atLeast) ?? 10 * power;
  const { from, to } = blocksShown(axis);
  const labelled = from === 0 ? [0] : [];
  // Steps of 2 count 1, 3, 5; larger steps land on round numbers: 1, 10, 20.
  const offset = step <= 2 ? 0 : -1;
  for (let block = step * Math.max(1, Math.ceil((from - offset) / step)) + offset; block < to; block += step) {
    if (block >= atLeast) {
      labelled.push(block);
    }
  }
  return labelled;
}

/** The middle of the shown part of a block. */
export function middleOf(axis: Axis, block: number): number {
  const { from, to } = pixelsOf(axis, { from: block, to: block + 1 });
  return (Math.max(0, from) + Math.min(axis.side, to)) / 2;
}

/** The middle of a label, kept at least `half` its length from both ends of a side. */
export function within(place: number, half: number, side: number): number {
  return Math.min(Math.max(place, half), Math.max(half, side - half));
}
