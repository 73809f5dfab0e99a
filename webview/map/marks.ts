import type { EditorPlace } from '../../src/protocol/panel';
import type { Theme } from '../theme';
import { columnsOf, pixelsOf, rowsOf, type Axis, type Span } from '../../src/core/draw/map/geometry';
import { markSize, type MapLayout } from '../../src/core/draw/map/layout';
import type { TilePlace } from '../../src/core/draw/map/viewport';

/** The marks on top of the map. */
export interface Marks {
  readonly place: EditorPlace;
  readonly pointed: TilePlace | null;
  /** The tile selected by keyboard, while the map has the focus. */
  readonly focused: TilePlace | null;
}

/** Draws all marks. */
export function paintMarks(
  pen: CanvasRenderingContext2D,
  layout: MapLayout,
  { place: { cursor, visible }, pointed, focused }: Marks,
  theme: Theme,
): void {
  if (visible !== null) {
    paintVisible(pen, layout, visible, theme);
  }
  if (cursor !== null) {
    paintCursor(pen, layout, cursor, theme);
  }
  if (focused !== null) {
    paintOutline(pen, layout, focused, theme.focus, theme.background);
  }
  if (pointed !== null) {
    paintOutline(pen, layout, pointed, theme.foreground, theme.background);
  }
}

/** Marks the row and the column of the cursor's block, with a pointer on each axis. */
function paintCursor(pen: CanvasRenderingContext2D, layout: MapLayout, block: number, theme: Theme): void {
  const { grid, left, top, ratio } = layout;
  const line = Math.max(1, Math.round(ratio));
  const size = (markSize - 1) * ratio;
  const row = shownPixels(rowsOf(grid), { from: block, to: block + 1 });
  const column = shownPixels(columnsOf(grid), { from: block, to: block + 1 });
  pen.fillStyle = theme.foreground;
  pen.beginPath();
  if (row !== undefined) {
    band(pen, line, row, (from, length) => pen.fillRect(left, top + from, grid.side, length));
    const middle = top + (row.from + row.to) / 2;
    pen.moveTo(left - 1, middle);
    pen.lineTo(left - size, middle - size * 0.6);
    pen.lineTo(left - size, middle + size * 0.6);
  }
  if (column !== undefined) {
    band(pen, line, column, (from, length) => pen.fillRect(left + from, top, length, grid.side));
    const middle = left + (column.from + column.to) / 2;
    pen.moveTo(middle, top - 1);
    pen.lineTo(middle - size * 0.6, top - size);
    pen.lineTo(middle + size * 0.6, top - size);
  }
  pen.fill();
}

/** A faint band with a line along each edge. */
function band(pen: CanvasRenderingContext2D, line: number, { from, to }: Span, fill: (from: number, length: number) => void): void {
  pen.globalAlpha = 0.16;
  fill(from, to - from);
  pen.globalAlpha = 1;
  fill(from, line);
  fill(to - line, line);
}

/** A bar along both axes at the blocks that are visible in the editor. */
function paintVisible(pen: CanvasRenderingContext2D, layout: MapLayout, blocks: Span, theme: Theme): void {
  const { grid, left, top, ratio } = layout;
  const thick = Math.round(3 * ratio);
  const least = 3 * ratio;
  const row = shownPixels(rowsOf(grid), blocks);
  const column = shownPixels(columnsOf(grid), blocks);
  pen.fillStyle = theme.colours.green;
  if (row !== undefined) {
    pen.fillRect(left - thick - 1, top + row.from, thick, Math.max(least, row.to - row.from));
  }
  if (column !== undefined) {
    pen.fillRect(left + column.from, top - thick - 1, Math.max(least, column.to - column.from), thick);
  }
}

/** Outlines one tile in `colour` on a ring of the background, however small the tile; nothing if it is not shown. */
function paintOutline(pen: CanvasRenderingContext2D, layout: MapLayout, tile: TilePlace, colour: string, background: string): void {
  const { grid, left, top, ratio } = layout;
  const box = (axis: Axis, block: number): Span | undefined => {
    const pixels = shownPixels(axis, { from: block, to: block + 1 });
    const grow = pixels && Math.max(0, (6 * ratio - (pixels.to - pixels.from)) / 2);
    return pixels && grow !== undefined ? { from: pixels.from - grow, to: pixels.to + grow } : undefined;
  };
  const x = box(columnsOf(grid), tile.keyBlock);
  const y = box(rowsOf(grid), tile.queryBlock);
  if (x === undefined || y === undefined) {
    return;
  }
  for (const [stroke, width] of [
    [background, 5],
    [colour, 2],
  ] as const) {
    pen.strokeStyle = stroke;
    pen.lineWidth = width * ratio;
    pen.strokeRect(left + x.from, top + y.from, x.to - x.from, y.to - y.from);
  }
}

/** The shown pixels of a range of blocks, or undefined if none is shown. */
function shownPixels(axis: Axis, blocks: Span): Span | undefined {
  const { from, to } = pixelsOf(axis, blocks);
  return from < axis.side && to > 0 ? { from: Math.max(0, from), to: Math.min(axis.side, to) } : undefined;
}
