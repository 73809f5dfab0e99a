import { noToken, type Pattern, rowSees, syntheticToken } from '../construct/arrangement';
import { type CellValue, gridLines, outlineOf, type Rectangle, rectanglesOf } from './rectangles';
import { type Drawing, element, hatchFill, ink, movedTo, textAt, wrapped } from './svg';

/** Values of cells: how the query of one row treats the key of another. */
const nothing = 0;
const masked = 1;
const separated = 2;
const synthetic = 3;
const seen = 4;

/**
 * Draws `[M, M]`: which rows' keys each row's query sees, and what hides the others.
 *
 * @param side of a cell in pixels: the height of a row of the table beside it
 */
function drawSight({ name, pattern, colour }: CallLayout, side: number): string {
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

/** One call, drawn row by row. */
interface CallLayout {
  /** Name of the picture, for its hatching. */
  readonly name: string;
  readonly pattern: Pattern;
  /** Colour of the call. */
  readonly colour: string;
  /** Such as `Call 2 of 16`. */
  readonly title: string;
  /** What the picture shows. */
  readonly note: string;
  /** s: the first s tokens are sinks. */
  readonly sinks: number;
}

/** Height of a row in pixels. */
const rowHeight = 15;
const titleLine = 16;
const noteLine = 14;
const noteCharacters = 62;
const gap = 18;
/** Width of a note in pixels. */
const panelWidth = 340;

/** Draws a call: the content of each row, and which rows' keys each row's query sees. */
export function drawCall(call: CallLayout): Drawing {
  const { pattern } = call;
  const rows = pattern.queries.length;
  const note = wrapped(call.note, noteCharacters);
  const top = titleLine + note.length * noteLine + 34;
  const table = drawTable(call);
  const markup = [
    textAt(0, 11, call.title, { 'font-size': 12.5, 'font-weight': 600 }),
    element('g', { 'font-size': 11, fill: ink.muted }, ...note.map((line, index) => textAt(0, titleLine + 11 + index * noteLine, line))),
    movedTo(0, top, table.markup),
    movedTo(
      table.width + gap,
      top,
      textAt(0, -19, 'keys that its query sees', { 'font-size': 10.5, fill: ink.muted }),
      drawSight(call, rowHeight),
    ),
  ];
  return { markup: markup.join(''), width: Math.max(table.width + gap + rows * rowHeight, panelWidth), height: top + rows * rowHeight };
}

/** The table of rows. */
function drawTable({ pattern, colour, sinks }: CallLayout): Drawing {
  const { queries, keys } = pattern;
  const columns = [
    { title: 'row', width: 26, left: 0 },
    { title: 'query', width: 38, left: 26 },
    { title: 'key', width: 38, left: 64 },
  ];
  const width = columns.reduce((sum, column) => sum + column.width, 0);
  const grounds: string[] = [];
  const texts = columns.map(({ title, width: wide, left }) => textAt(left + wide / 2, -6, title, { fill: ink.muted }));
  const write = (row: number, column: number, content: string, ground?: string, fill?: string): void => {
    const { left, width: wide } = columns[column];
    if (ground !== undefined) {
      grounds.push(element('rect', { x: left, y: row * rowHeight, width: wide, height: rowHeight, fill: ground }));
    }
    texts.push(textAt(left + wide / 2, row * rowHeight + 11, content, { fill }));
  };
  queries.forEach((query, row) => {
    const key = keys[row];
    write(row, 0, `${row}`, undefined, ink.muted);
    write(
      row,
      1,
      query === noToken ? '\u2013' : `q ${query}`,
      query === noToken ? undefined : `${colour}66`,
      query === noToken ? ink.muted : undefined,
    );
    if (key === syntheticToken) {
      write(row, 2, 'synth.', ink.synthetic, ink.paper);
    } else if (key === noToken) {
      write(row, 2, 'pad', undefined, ink.muted);
    } else {
      write(row, 2, `k ${key}`, colour);
    }
  });
  const sinkFrames = Array.from(keys, (key, row) =>
    key >= 0 && key < sinks
      ? element('rect', {
          x: 65.5,
          y: row * rowHeight + 1.5,
          width: 35,
          height: rowHeight - 3,
          rx: 2,
          fill: 'none',
          stroke: ink.line,
          'stroke-width': 1.5,
        })
      : '',
  );
  const lines = queries.reduce((path, _, row) => `${path}M0 ${row * rowHeight}h${width}`, '') + `M0 ${queries.length * rowHeight}h${width}`;
  const markup = [
    ...grounds,
    element('path', { d: lines, stroke: ink.frame, fill: 'none' }),
    ...sinkFrames,
    element('g', { 'font-size': 10.5, 'text-anchor': 'middle' }, ...texts),
  ];
  return { markup: markup.join(''), width, height: queries.length * rowHeight };
}
