import { element, escaped, movedTo, textAt } from '../svg';
import { formatCount } from '../../format';
import type { QueryBlocks } from '../../plan/query-blocks';
import type { TileKind } from '../../plan/tiles';
import { type Axis, type Band, bandsOf, blocksShown, cellSize, columnsOf, type Grid, pixelsOf, rowsOf, type Span } from './geometry';
import { type Box, labelledBlocks, middleOf, within } from './layout';
import type { Viewport } from './viewport';

/** The bands' spans of one kind as rectangles; equal spans in consecutive bands become one rectangle. */
function rectanglesOf(bands: readonly Band[], kind: TileKind): readonly Box[] {
  const finished: Box[] = [];
  let open = new Map<string, Box>();
  for (const { y, spans } of bands) {
    const next = new Map<string, Box>();
    for (const x of spans[kind]) {
      const key = `${x.from} ${x.to}`;
      const above = open.get(key);
      const goesOn = above?.y.to === y.from;
      next.set(key, { x, y: goesOn ? { from: above.y.from, to: y.to } : y });
      if (goesOn) {
        open.delete(key);
      }
    }
    finished.push(...open.values());
    open = next;
  }
  return [...finished, ...open.values()];
}

/** Length of a span. */
function lengthOf({ from, to }: Span): number {
  return to - from;
}

/** A picture of the map: its content and its looks. */
interface MapPicture {
  /** Prefix of the ids in it, for a page with several. */
  readonly name: string;
  readonly queryBlocks: QueryBlocks;
  readonly shown: Viewport;
  readonly title: string;
  /** The picture in words, for screen readers. */
  readonly description: string;
  /** Names of the axes: downwards, and to the right. */
  readonly axes: string;
  readonly legend: readonly { readonly kind: TileKind; readonly label: string }[];
  readonly looks: Readonly<Record<TileKind, { readonly colour: string; readonly pattern: 'solid' | 'hatched' | 'dotted' }>>;
  readonly foreground: string;
  readonly muted: string;
  readonly background: string;
  readonly fontFamily: string;
}

/** Side of the square, and the finest grid for rectangles: with more blocks than that, blocks share rows. */
const side = 640;
const finest = 2048;
const margin = 20;
const fontSize = 11;
const lineHeight = 18;
/** Mean width of a digit, in ems. */
const digitWidth = 0.62;
/** Size of a block from which lines separate the tiles and patterns are distinguishable. */
const separatedCell = 4;

/** The shown part of a map as an SVG document, with at most one rectangle per run of equal tiles. */
export function mapSvg(picture: MapPicture): string {
  const { name, queryBlocks, shown, title, description, axes, legend, foreground, muted, background, fontFamily } = picture;
  const blocks = queryBlocks.length;
  const grid: Grid = { blocks, side, shown };
  const left = margin + Math.ceil(formatCount(blocks).length * fontSize * digitWidth) + 8;
  const top = margin + 3 * lineHeight;
  const width = left + side + margin;
  const legendTop = top + side + margin;
  const height = legendTop + legend.length * lineHeight + margin / 2;
  const patterned = cellSize(grid) >= separatedCell;
  const lines = legend.map(({ kind, label }, index) =>
    movedTo(
      left,
      legendTop + index * lineHeight,
      element('rect', { width: 14, height: 12, fill: fillOf(picture, kind, true) }),
      textAt(21, 10, label, { fill: foreground }),
    ),
  );
  return `${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'aria-labelledby': `${name}-title ${name}-description`,
      'font-family': fontFamily,
      'font-size': fontSize,
    },
    element('title', { id: `${name}-title` }, escaped(title)),
    element('desc', { id: `${name}-description` }, escaped(description)),
    element('defs', {}, ...patterns(picture)),
    element('rect', { width, height, fill: background }),
    textAt(margin, margin + 4, title, { fill: foreground, 'font-size': 13, 'font-weight': 600 }),
    textAt(margin, margin + 22, axes, { fill: muted }),
    movedTo(
      left,
      top,
      element('rect', { width: side, height: side, fill: foreground, 'fill-opacity': 0.06 }),
      ...tiles(picture, patterned),
      patterned ? separators(grid, background) : '',
    ),
    element('g', { fill: muted }, ...labels(grid, left, top)),
    ...lines,
  )}\n`;
}

/** Rare kinds are drawn last, so that they stay visible where blocks share a row. */
const paintOrder = ['chosen', 'full', 'sampled', 'partial'] as const;

function tiles(picture: MapPicture, patterned: boolean): string[] {
  const { queryBlocks, shown } = picture;
  // A whole number of units per block for few blocks; at most `finest` units in all for many.
  const units = Math.max(1, Math.floor(finest / shown.span)) * shown.span;
  const fine: Grid = { blocks: queryBlocks.length, side: Math.min(finest, Math.ceil(units)), shown };
  const bands = bandsOf(queryBlocks, fine);
  const scale = side / fine.side;
  return paintOrder.map((kind) => {
    const rectangles = rectanglesOf(bands, kind).map(({ x, y }) =>
      element('rect', { x: scale * x.from, y: scale * y.from, width: scale * lengthOf(x), height: scale * lengthOf(y) }),
    );
    return rectangles.length === 0
      ? ''
      : element('g', { fill: fillOf(picture, kind, patterned), 'shape-rendering': 'crispEdges' }, ...rectangles);
  });
}

function fillOf({ name, looks }: MapPicture, kind: TileKind, patterned: boolean): string {
  const { colour, pattern } = looks[kind];
  return patterned && pattern !== 'solid' ? `url(#${name}-${kind})` : colour;
}

/** The page's patterns, 6 by 6: strokes or dots on a faint ground of their colour. */
function patterns({ name, looks }: MapPicture): string[] {
  return paintOrder.map((kind) => {
    const { colour, pattern } = looks[kind];
    const mark =
      pattern === 'dotted'
        ? element('circle', { cx: 3, cy: 3, r: 1.76, fill: colour })
        : element('path', { d: 'M-1 1l2-2M-1 7l8-8M5 7l2-2', stroke: colour, 'stroke-width': 2 });
    return pattern === 'solid'
      ? ''
      : element(
          'pattern',
          { id: `${name}-${kind}`, width: 6, height: 6, patternUnits: 'userSpaceOnUse' },
          element('rect', { width: 6, height: 6, fill: colour, 'fill-opacity': 0.3 }),
          mark,
        );
  });
}

function separators(grid: Grid, background: string): string {
  const edges = (axis: Axis): number[] => {
    const { from, to } = blocksShown(axis);
    return Array.from({ length: to - from - 1 }, (_, index) => pixelsOf(axis, { from: from + index + 1, to: from + index + 2 }).from);
  };
  const down = edges(columnsOf(grid)).map((x) => `M${x} 0v${side}`);
  const across = edges(rowsOf(grid)).map((y) => `M0 ${y}h${side}`);
  return element('path', { d: [...down, ...across].join(''), stroke: background, 'stroke-width': 1, fill: 'none' });
}

function labels(grid: Grid, left: number, top: number): string[] {
  const columns = columnsOf(grid);
  const rows = rowsOf(grid);
  const widthOf = (text: string): number => text.length * fontSize * digitWidth;
  const above = labelledBlocks(columns, widthOf(formatCount(grid.blocks)) + fontSize).map((block) => {
    const text = formatCount(block + 1);
    return textAt(left + within(middleOf(columns, block), widthOf(text) / 2, side), top - 6, text, { 'text-anchor': 'middle' });
  });
  const beside = labelledBlocks(rows, 2 * fontSize).map((block) =>
    textAt(left - 6, top + within(middleOf(rows, block), fontSize / 2, side) + fontSize / 3, formatCount(block + 1), {
      'text-anchor': 'end',
    }),
  );
  return [...above, ...beside];
}
