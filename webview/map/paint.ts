import { formatCount } from '../../src/core/format';
import type { OrderStep } from '../../src/core/plan/call-order';
import type { TileKind } from '../../src/core/plan/tiles';
import { type Colour, type Pattern, patternFill, type Theme } from '../theme';
import { type Axis, type Band, blocksShown, cellSize, columnsOf, pixelsOf, rowsOf } from '../../src/core/draw/map/geometry';
import {
  axisFontSize,
  type Box,
  boxesOf,
  labelledBlocks,
  type MapLayout,
  markSize,
  middleOf,
  within,
} from '../../src/core/draw/map/layout';

/** Colour and pattern of each kind of tile; the legend's swatches in the style sheet match them. */
export const looks: Readonly<Record<TileKind, { readonly colour: Colour; readonly pattern: Pattern }>> = {
  full: { colour: 'blue', pattern: 'solid' },
  partial: { colour: 'orange', pattern: 'hatched' },
  sampled: { colour: 'purple', pattern: 'dotted' },
  chosen: { colour: 'blue', pattern: 'dotted' },
};

/** Later kinds are drawn over earlier ones where blocks share a pixel, so that rare kinds stay visible. */
const paintOrder = ['chosen', 'full', 'sampled', 'partial'] as const;
/**
 * Block sizes in CSS pixels: below the first, patterns are indistinguishable; from the second on, lines separate the tiles.
 */
const smallestPatternedCell = 5;
const smallestSeparatedCell = 4;

/** Draws everything except the marks: ground, tiles, axes. */
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

/** The whole square, faint, so that hidden areas are recognisable. */
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
  const edgesOf = (axis: Axis): number[] => {
    const { from, to } = blocksShown(axis);
    return Array.from({ length: to - from }, (_, index) => startOf(axis, from + index)).filter((edge) => edge > 0);
  };
  edgesOf(columnsOf(grid)).forEach((edge) => pen.clearRect(left + edge, top, line, grid.side));
  edgesOf(rowsOf(grid)).forEach((edge) => pen.clearRect(left, top + edge, grid.side, line));
}

function startOf(axis: Axis, block: number): number {
  return pixelsOf(axis, { from: block, to: block + 1 }).from;
}

/** Block numbers: key blocks above, query blocks at the left. */
function paintAxes(pen: CanvasRenderingContext2D, { grid, left, top, ratio }: MapLayout, theme: Theme): void {
  const size = axisFontSize(theme) * ratio;
  const gap = (markSize + 1) * ratio;
  pen.font = `${size}px ${theme.fontFamily}`;
  pen.fillStyle = theme.muted;
  const widest = pen.measureText(formatCount(grid.blocks)).width;
  pen.textAlign = 'center';
  pen.textBaseline = 'alphabetic';
  const columns = columnsOf(grid);
  for (const block of labelledBlocks(columns, widest + size)) {
    const text = formatCount(block + 1);
    const half = pen.measureText(text).width / 2;
    pen.fillText(text, left + within(middleOf(columns, block), half, grid.side), top - gap);
  }
  pen.textAlign = 'right';
  pen.textBaseline = 'middle';
  const rows = rowsOf(grid);
  for (const block of labelledBlocks(rows, 2 * size)) {
    pen.fillText(formatCount(block + 1), left - gap, top + within(middleOf(rows, block), size / 2, grid.side));
  }
}

/** Opacity of tiles not read yet. */
const notYet = 0.2;
/** Sizes of a step's tiles in CSS pixels: the least drawn, and the least at which an outline leaves the pattern visible. */
const leastSide = 3;
const outlinedSide = 8;

/** Draws the map in the middle of a run: tiles read at this step, tiles read before, and the rest faint. */
export function paintStep(
  pen: CanvasRenderingContext2D,
  picture: CanvasImageSource,
  layout: MapLayout,
  step: OrderStep,
  theme: Theme,
): void {
  const { grid, left, top, ratio } = layout;
  const paintPicture = ({ x, y }: Box): void => {
    const place = [left + x.from, top + y.from, x.to - x.from, y.to - y.from] as const;
    pen.clearRect(...place);
    pen.drawImage(picture, ...place, ...place);
  };
  pen.fillStyle = theme.background;
  pen.globalAlpha = 1 - notYet;
  pen.fillRect(left, top, grid.side, grid.side);
  pen.globalAlpha = 1;
  const before = { queries: { from: 0, to: step.doneBlocks }, keys: { from: 0, to: grid.blocks }, diagonal: false };
  for (const area of step.doneBlocks > 0 ? [before, ...step.done] : step.done) {
    boxesOf(area, grid).forEach(paintPicture);
  }
  pen.fillStyle = theme.foreground;
  pen.strokeStyle = theme.foreground;
  pen.lineWidth = 2 * ratio;
  for (const box of step.current.flatMap((area) => boxesOf(area, grid))) {
    const [x, y] = [atLeast(box.x, leastSide * ratio), atLeast(box.y, leastSide * ratio)];
    if (Math.min(x.length, y.length) < outlinedSide * ratio) {
      pen.fillRect(left + x.from, top + y.from, x.length, y.length);
    } else {
      paintPicture(box);
      pen.strokeRect(left + x.from + ratio, top + y.from + ratio, x.length - 2 * ratio, y.length - 2 * ratio);
    }
  }
}

function atLeast({ from, to }: Box['x'], least: number): { readonly from: number; readonly length: number } {
  const grow = Math.max(0, (least - (to - from)) / 2);
  return { from: from - grow, length: to - from + 2 * grow };
}
