import type { TextRange } from './edits';

const lineEnd = /\r\n|\r|\n/g;

/** The line, from 1, of an offset of a text; lines end with `\n`, `\r\n` or `\r`. */
export function lineOf(text: string, offset: number): number {
  return linesOf(text, [offset])[0];
}

/** The lines, from 1, of ascending offsets of a text, in one pass. */
export function linesOf(text: string, offsets: readonly number[]): number[] {
  const ends = text.matchAll(lineEnd);
  let end = ends.next();
  let line = 1;
  return offsets.map((offset) => {
    while (end.done !== true && end.value.index + end.value[0].length <= offset) {
      line += 1;
      end = ends.next();
    }
    return line;
  });
}

/** The place of a line, from 1, with its end; empty at the end of the text where there is no such line. */
export function lineRange(text: string, line: number): TextRange {
  let from = 0;
  let number = 1;
  for (const { 0: end, index } of text.matchAll(lineEnd)) {
    const to = index + end.length;
    if (number === line) {
      return { from, to };
    }
    from = to;
    number += 1;
  }
  return { from: number === line ? from : text.length, to: text.length };
}
