import { noToken, rowSees, syntheticToken } from '../construct/arrangement';
import type { CallLayout } from '../draw/call';
import { hatchFill } from '../draw/svg';
import { ink } from './palette';
import { gridLines, outlineOf, rectanglesOf, type CellValue, type Rectangle } from '../draw/rectangles';
import { element, textAt } from './svg';

/** What the query of one row makes of the key of another: values of cells, so numbers. */
const nothing = 0;
const masked = 1;
const separated = 2;
const synthetic = 3;
const seen = 4;

/**
 * Draws `[M, M]`: which rows' keys each row's query sees, and what hides the others.
 *
 * @param side of a cell in pixels, the height of a row of the table beside it
 */
export function drawSight({ name, pattern, colour }: CallLayout, side: number): string {
  const { causal, queries, keys, sign } = pattern;
  const rows = queries.length;
  const sight: CellValue = (key, query) => {
    if (causal && key > query) {
      return masked;
    }
    if (queries[query] === noToken || keys[key] === noToken) {
      return nothing;
    }
    if (keys[key] === syntheticToken) {
      return synthetic;
    }
    return rowSees(pattern, query, key) ? seen : separated;
  };
  const rectangles = rectanglesOf(rows, rows, sight);
  const of = (value: number): Rectangle[] => rectangles.filter((rectangle) => rectangle.value === value);
  const filled = (fill: string, value: number, opacity?: number): string =>
    element(
      'g',
      { fill, 'fill-opacity': opacity },
      ...of(value).map(({ x, y, width, height }) => element('rect', { x, y, width, height })),
    );
  const keyNames = Array.from(keys, (key, row) =>
    textAt((row + 0.5) * side, -6, key === syntheticToken ? 's' : key === noToken ? '\u00b7' : `${key}`),
  );
  return (
    element(
      'g',
      { transform: `scale(${side})` },
      filled(ink.masked, masked),
      filled(ink.synthetic, synthetic),
      filled(colour, seen, sign === 1 ? undefined : 0.5),
      sign === 1 ? '' : filled(hatchFill(name), seen, 0.55),
      element('path', { d: of(separated).map(crossesOf).join(''), stroke: ink.muted, 'stroke-width': 0.07, fill: 'none' }),
      gridLines(rows),
      element('path', {
        d: outlineOf(rows, rows, (x, y) => (sight(x, y) === seen ? 1 : 0)),
        stroke: ink.line,
        'stroke-width': 0.08,
        fill: 'none',
        'stroke-linecap': 'square',
      }),
    ) + element('g', { 'font-size': 8.5, 'text-anchor': 'middle', fill: ink.muted }, ...keyNames)
  );
}

/** A small cross in every cell of a rectangle. */
function crossesOf({ x, y, width, height }: Rectangle): string {
  const cells = Array.from(
    { length: width * height },
    (_, index) => `M${x + (index % width)}.3 ${y + Math.floor(index / width)}.3l.4 .4m0-.4l-.4 .4`,
  );
  return cells.join('');
}
