import { element, ink } from './svg';

/** A rectangle of cells with the same value. */
export interface Rectangle {
  readonly value: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  height: number;
}

/** The value of the cell in column `x` of row `y`; 0 is blank. */
export type CellValue = (x: number, y: number) => number;

/**
 * Covers all cells that are not blank with rectangles, each cell once: runs within a row, and equal runs of consecutive
 * rows merged. This keeps the drawings small.
 */
export function rectanglesOf(columns: number, rows: number, valueAt: CellValue): Rectangle[] {
  const finished: Rectangle[] = [];
  let above: Rectangle[] = [];
  for (let y = 0; y < rows; y += 1) {
    const own: Rectangle[] = [];
    for (const run of runsOf(columns, (x) => valueAt(x, y))) {
      const grown = above.find((rectangle) => rectangle.x === run.from && rectangle.width === run.length && rectangle.value === run.value);
      if (grown === undefined) {
        const rectangle = { value: run.value, x: run.from, y, width: run.length, height: 1 };
        finished.push(rectangle);
        own.push(rectangle);
      } else {
        grown.height += 1;
        own.push(grown);
      }
    }
    above = own;
  }
  return finished;
}

interface Run {
  readonly value: number;
  readonly from: number;
  readonly length: number;
}

/** Longest runs of equal values other than 0. */
function runsOf(length: number, valueAt: (index: number) => number): Run[] {
  const runs: Run[] = [];
  for (let from = 0; from < length;) {
    const value = valueAt(from);
    let to = from + 1;
    while (to < length && valueAt(to) === value) {
      to += 1;
    }
    if (value !== 0) {
      runs.push({ value, from, length: to - from });
    }
    from = to;
  }
  return runs;
}

/** Path data of the lines between cells of different value, including the outer edge of cells that are not blank. */
export function outlineOf(columns: number, rows: number, valueAt: CellValue): string {
  const inside: CellValue = (x, y) => (x < 0 || y < 0 || x >= columns || y >= rows ? 0 : valueAt(x, y));
  const differs = (a: number, b: number): number => (a === b ? 0 : 1);
  let path = '';
  for (let y = 0; y <= rows; y += 1) {
    for (const { from, length } of runsOf(columns, (x) => differs(inside(x, y - 1), inside(x, y)))) {
      path += `M${from} ${y}h${length}`;
    }
  }
  for (let x = 0; x <= columns; x += 1) {
    for (const { from, length } of runsOf(rows, (y) => differs(inside(x - 1, y), inside(x, y)))) {
      path += `M${x} ${from}v${length}`;
    }
  }
  return path;
}

/** Faint lines between all cells of a square, in units of a cell. */
export function gridLines(side: number): string {
  const across = Array.from({ length: side + 1 }, (_, line) => `M0 ${line}h${side}M${line} 0v${side}`).join('');
  return element('path', { d: across, stroke: ink.line, 'stroke-opacity': 0.16, 'stroke-width': 0.04, fill: 'none' });
}
