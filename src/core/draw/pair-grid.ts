import type { Pattern } from '../construct/arrangement';
import type { Mask } from '../scenario/scenario';
import { addedBefore, areaOf, type Coverage } from './coverage';
import { type CellValue, gridLines, outlineOf, rectanglesOf } from './rectangles';
import { type Drawing, element, hatchFill, ink, movedTo, textAt } from './svg';

/** The inputs of a grid of (query row, key column) pairs. */
interface PairGrid {
  /** Name of the picture, for its hatching. */
  readonly name: string;
  readonly coverage: Coverage;
  readonly patterns: readonly Pattern[];
  readonly colours: readonly string[];
  readonly mask: Mask;
  /** `[N]`: the key shown in each column. */
  readonly columns: readonly number[];
  readonly columnsTitle: string;
  /** Side of a cell in pixels. */
  readonly cell: number;
}

/** Room for the axis titles and the token numbers. */
const axis = 40;

/**
 * Draws the grid: every visible pair in the colour of the call that reads it, subtracted pairs hatched, hidden pairs blank.
 */
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

interface Cell {
  readonly x: number;
  readonly y: number;
}

/** The number of every call in the middle of each piece of its area; with a minus sign where it subtracts. */
function drawCallNumbers({ coverage: { tokens, owner, taken }, patterns, columns, cell }: PairGrid): string {
  const numbers = patterns.flatMap(({ sign }, index) => {
    const call = index + 1;
    const own = (pair: number): boolean => (sign === 1 ? owner[pair] === call : owner[pair] === 0 && taken[pair] === call);
    const pieces = piecesOf(tokens, (x, y) => own(y * tokens + columns[x]));
    return pieces.map((piece) => {
      const { x, y } = middleOf(piece);
      return textAt(x * cell, y * cell + 4, `${sign === 1 ? '' : '\u2212'}${call}`);
    });
  });
  return element(
    'g',
    {
      'font-size': 11,
      'font-weight': 700,
      'text-anchor': 'middle',
      stroke: ink.paper,
      'stroke-opacity': 0.75,
      'stroke-width': 2.5,
      'stroke-linejoin': 'round',
      'paint-order': 'stroke',
    },
    ...numbers,
  );
}

/** The connected pieces of an area: cells that share edges. */
function piecesOf(side: number, inside: (x: number, y: number) => boolean): Cell[][] {
  const met = new Set<number>();
  const pieces: Cell[][] = [];
  const visit = (x: number, y: number, piece: Cell[]): void => {
    if (x >= 0 && y >= 0 && x < side && y < side && !met.has(y * side + x) && inside(x, y)) {
      met.add(y * side + x);
      piece.push({ x, y });
      visit(x + 1, y, piece);
      visit(x - 1, y, piece);
      visit(x, y + 1, piece);
      visit(x, y - 1, piece);
    }
  };
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const piece: Cell[] = [];
      visit(x, y, piece);
      if (piece.length > 0) {
        pieces.push(piece);
      }
    }
  }
  return pieces;
}

/** The centre of a rectangular piece; for any other piece, the centre of the cell nearest to the piece's centre. */
function middleOf(piece: readonly Cell[]): Cell {
  const mean = (of: (cell: Cell) => number): number => piece.reduce((sum, cell) => sum + of(cell), 0) / piece.length + 0.5;
  const centre = { x: mean((cell) => cell.x), y: mean((cell) => cell.y) };
  const extent = (of: (cell: Cell) => number): number => Math.max(...piece.map(of)) - Math.min(...piece.map(of)) + 1;
  if (extent((cell) => cell.x) * extent((cell) => cell.y) === piece.length) {
    return centre;
  }
  const distance = ({ x, y }: Cell): number => (x + 0.5 - centre.x) ** 2 + (y + 0.5 - centre.y) ** 2;
  const { x, y } = piece.reduce((best, cell) => (distance(cell) < distance(best) ? cell : best));
  return { x: x + 0.5, y: y + 0.5 };
}
