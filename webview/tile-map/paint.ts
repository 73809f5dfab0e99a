import { formatCount } from '../../src/core/format';
import type { TileKind } from '../../src/core/plan/tiles';
import { patternFill, type Pattern } from '../patterns';
import type { Colour, Theme } from '../theme';
import { cellSize, pixelsOf, type Band, type Span } from './geometry';
import { axisFontSize, labelledBlocks, markSize, type MapLayout } from './layout';

/** Colour and pattern of each kind of tile; the legend's swatches in the style sheet follow it. */
const looks: Readonly<Record<TileKind, { readonly colour: Colour; readonly pattern: Pattern }>> = {
  full: { colour: 'blue', pattern: 'solid' },
  partial: { colour: 'orange', pattern: 'hatched' },
  sampled: { colour: 'purple', pattern: 'dotted' },
};
/** Later kinds are drawn over earlier ones where blocks share a pixel: the rare ones must stay visible. */
const paintOrder = ['full', 'sampled', 'partial'] as const;
/** Below so many CSS pixels a pattern cannot be told apart; tiles from the second size on are cut by lines. */
const smallestPatternedCell = 5;
const smallestSeparatedCell = 4;

/** Draws everything but the marks: ground, tiles, axes. */
export function paintMap(pen: CanvasRenderingContext2D, layout: MapLayout, bands: readonly Band[], theme: Theme): void {
  const { grid, left, top, width, height, ratio } = layout;
  const cell = cellSize(grid);
  pen.clearRect(0, 0, width, height);
  paintGround(pen, layout, theme);
  for (const kind of paintOrder) {
    const { colour, pattern } = looks[kind];
    const drawn = cell < smallestPatternedCell * ratio ? 'solid' : pattern;
    pen.fillStyle = patternFill(pen, theme.colours[colour], drawn, ratio);
    for (const { y, spans } of bands) {
      for (const { from, to } of spans[kind]) {
        pen.fillRect(left + from, top + y.from, to - from, y.to - y.from);
      }
    }
  }
  if (cell >= smallestSeparatedCell * ratio) {
    separateTiles(pen, layout);
  }
  paintAxes(pen, layout, theme);
}

/** The square itself, faint, so that what is not read can be seen as such. */
function paintGround(pen: CanvasRenderingContext2D, { grid, left, top }: MapLayout, theme: Theme): void {
  pen.globalAlpha = 0.06;
  pen.fillStyle = theme.foreground;
  pen.fillRect(left, top, grid.side, grid.side);
  pen.globalAlpha = 0.5;
  pen.strokeStyle = theme.border;
  pen.lineWidth = 1;
  pen.strokeRect(left - 0.5, top - 0.5, grid.side + 1, grid.side + 1);
  pen.globalAlpha = 1;
}

function separateTiles(pen: CanvasRenderingContext2D, { grid, left, top, ratio }: MapLayout): void {
  const line = Math.max(1, Math.round(ratio));
  for (let block = 1; block < grid.blocks; block += 1) {
    const { from } = pixelsOf(grid, { from: block, to: block + 1 });
    pen.clearRect(left + from, top, line, grid.side);
    pen.clearRect(left, top + from, grid.side, line);
  }
}

/** Block numbers: key blocks above, query blocks at the left. */
function paintAxes(pen: CanvasRenderingContext2D, { grid, left, top, ratio }: MapLayout, theme: Theme): void {
  const size = axisFontSize(theme) * ratio;
  const gap = (markSize + 1) * ratio;
  pen.font = `${size}px ${theme.fontFamily}`;
  pen.fillStyle = theme.muted;
  const widest = pen.measureText(formatCount(grid.blocks)).width;
  const middle = (block: number): number => {
    const { from, to } = pixelsOf(grid, { from: block, to: block + 1 });
    return (from + to) / 2;
  };
  pen.textAlign = 'center';
  pen.textBaseline = 'alphabetic';
  for (const block of labelledBlocks(grid, widest + size)) {
    const text = formatCount(block + 1);
    const half = pen.measureText(text).width / 2;
    const x = Math.min(Math.max(middle(block), half), Math.max(half, grid.side - half));
    pen.fillText(text, left + x, top - gap);
  }
  pen.textAlign = 'right';
  pen.textBaseline = 'middle';
  for (const block of labelledBlocks(grid, 2 * size)) {
    const y = Math.min(Math.max(middle(block), size / 2), grid.side - size / 2);
    pen.fillText(formatCount(block + 1), left - gap, top + y);
  }
}

/** Marks the row and the column of the cursor's block, with a pointer at each axis. */
export function paintCursor(pen: CanvasRenderingContext2D, layout: MapLayout, block: number, theme: Theme): void {
  const { grid, left, top, ratio } = layout;
  const { from, to } = pixelsOf(grid, { from: block, to: block + 1 });
  pen.fillStyle = theme.foreground;
  pen.globalAlpha = 0.16;
  pen.fillRect(left, top + from, grid.side, to - from);
  pen.fillRect(left + from, top, to - from, grid.side);
  pen.globalAlpha = 1;
  const line = Math.max(1, Math.round(ratio));
  for (const edge of [from, to - line]) {
    pen.fillRect(left, top + edge, grid.side, line);
    pen.fillRect(left + edge, top, line, grid.side);
  }
  const size = (markSize - 1) * ratio;
  const middle = (from + to) / 2;
  pen.beginPath();
  pen.moveTo(left - 1, top + middle);
  pen.lineTo(left - size, top + middle - size * 0.6);
  pen.lineTo(left - size, top + middle + size * 0.6);
  pen.moveTo(left + middle, top - 1);
  pen.lineTo(left + middle - size * 0.6, top - size);
  pen.lineTo(left + middle + size * 0.6, top - size);
  pen.fill();
}

/** Outlines one tile in `colour` on a ring of the background, however small the tile is. */
export function paintOutline(
  pen: CanvasRenderingContext2D,
  { grid, left, top, ratio }: MapLayout,
  tile: { readonly queryBlock: number; readonly keyBlock: number },
  colour: string,
  background: string,
): void {
  const box = (block: number): Span => {
    const { from, to } = pixelsOf(grid, { from: block, to: block + 1 });
    const grow = Math.max(0, (6 * ratio - (to - from)) / 2);
    return { from: from - grow, to: to + grow };
  };
  const x = box(tile.keyBlock);
  const y = box(tile.queryBlock);
  for (const [stroke, width] of [[background, 5], [colour, 2]] as const) {
    pen.strokeStyle = stroke;
    pen.lineWidth = width * ratio;
    pen.strokeRect(left + x.from, top + y.from, x.to - x.from, y.to - y.from);
  }
}
