import { ink } from './palette';
import type { PairGrid } from '../draw/pair-grid';
import { element, textAt } from './svg';

interface Cell {
  readonly x: number;
  readonly y: number;
}

/** The number of every call, in the middle of each piece of what it reads; with a minus sign on what it takes away. */
export function drawCallNumbers({ coverage: { tokens, owner, taken }, patterns, columns, cell }: PairGrid): string {
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

/** The pieces of an area, of cells that share edges. */
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

/** The centre of a piece that is a rectangle; of any other piece, the centre of the cell that is nearest to its own. */
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
