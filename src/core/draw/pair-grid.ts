import type { Pattern } from '../construct/arrangement';
import type { Mask } from '../scenario/scenario';
import { drawCallNumbers } from '../pictures/call-numbers';
import { addedBefore, areaOf, type Coverage } from './coverage';
import { hatchFill, type Drawing } from './svg';
import { ink } from '../pictures/palette';
import { gridLines, outlineOf, rectanglesOf, type CellValue } from './rectangles';
import { element, movedTo, textAt } from '../pictures/svg';

/** What a grid of (query row, key column) pairs is drawn from. */
export interface PairGrid {
  /** Name of the picture, for its hatching. */
  readonly name: string;
  readonly coverage: Coverage;
  readonly patterns: readonly Pattern[];
  readonly colours: readonly string[];
  readonly mask: Mask;
  /** `[N]`: the key that a column shows. */
  readonly columns: readonly number[];
  readonly columnsTitle: string;
  /** Side of a cell in pixels. */
  readonly cell: number;
}

/** Room for the axis titles and the token numbers. */
const axis = 40;

/** Draws the grid: every visible pair in the colour of the call that reads it, what is taken away hatched, hidden pairs blank. */
export function drawPairGrid(grid: PairGrid): Drawing {
  const { coverage, columns, cell } = grid;
  const { tokens } = coverage;
  const side = tokens * cell;
  const cells = element('g', { transform: `scale(${cell})` }, ...gridCells(grid), gridLines(tokens));
  const markup = [axes(grid, side), movedTo(axis, axis, cells, drawCallNumbers(grid))].join('');
  return { markup: element('g', { class: 'grid', 'data-columns': columns.join(' ') }, markup), width: axis + side, height: axis + side };
}

/** The coloured cells, in units of a cell. */
function gridCells({ name, coverage, patterns, colours, mask, columns }: PairGrid): string[] {
  const { tokens, owner, taken } = coverage;
  const pairOf = (x: number, y: number): number => y * tokens + columns[x];
  const areas: CellValue = (x, y) => areaOf(coverage, pairOf(x, y), patterns);
  const layer = (
    value: CellValue,
    fillOf: (call: number) => string,
    labels: (call: number) => Readonly<Record<string, string | number>>,
  ): string[] =>
    patterns.flatMap((_, index) => {
      const rectangles = rectanglesOf(tokens, tokens, (x, y) => (value(x, y) === index + 1 ? 1 : 0));
      const drawn = rectangles.map(({ x, y, width, height }) => element('rect', { x, y, width, height }));
      return drawn.length === 0 ? [] : [element('g', { fill: fillOf(index + 1), ...labels(index + 1) }, ...drawn)];
    });
  const colourOf = (call: number): string => colours[call - 1];
  const hidden: CellValue = (x, y) => (owner[pairOf(x, y)] === 0 ? taken[pairOf(x, y)] : 0);
  const unread: CellValue = (x, y) => (owner[pairOf(x, y)] === 0 && mask.allows(y, columns[x]) ? 1 : 0);
  return [
    element('rect', { width: tokens, height: tokens, fill: ink.paper }),
    element(
      'g',
      { class: 'unread', fill: ink.unread },
      ...rectanglesOf(tokens, tokens, unread).map(({ x, y, width, height }) => element('rect', { x, y, width, height })),
    ),
    element(
      'g',
      { class: 'pairs' },
      ...layer(
        (x, y) => owner[pairOf(x, y)],
        colourOf,
        (call) => ({ 'data-call': call }),
      ),
    ),
    element(
      'g',
      { class: 'cancelled', 'fill-opacity': 0.35 },
      ...layer(hidden, colourOf, (call) => ({ 'data-call': addedBefore(call, patterns) })),
    ),
    element(
      'g',
      { class: 'taken', 'fill-opacity': 0.55 },
      ...layer(
        (x, y) => taken[pairOf(x, y)],
        () => hatchFill(name),
        (call) => ({ 'data-call': call }),
      ),
    ),
    element('path', {
      d: outlineOf(tokens, tokens, (x, y) => (hidden(x, y) > 0 ? -areas(x, y) : areas(x, y))),
      stroke: ink.line,
      'stroke-width': 0.08,
      fill: 'none',
      'stroke-linecap': 'square',
    }),
  ];
}

function axes({ coverage: { tokens }, columns, columnsTitle, cell }: PairGrid, side: number): string {
  const middle = axis + side / 2;
  const numbers = columns.flatMap((key, place) => [
    textAt(axis + (place + 0.5) * cell, axis - 5, `${key}`),
    textAt(axis - 10, axis + (place + 0.5) * cell + 3, `${place}`),
  ]);
  return (
    textAt(middle, 14, columnsTitle, { 'font-size': 12, 'text-anchor': 'middle' }) +
    textAt(-middle, 14, 'query', { 'font-size': 12, 'text-anchor': 'middle', transform: 'rotate(-90)' }) +
    element('g', { 'font-size': tokens > 18 ? 8 : 9, 'text-anchor': 'middle', fill: ink.muted }, ...numbers)
  );
}
