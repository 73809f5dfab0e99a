/**
 * Cuts a prompt where tokens are sure to end, so that an edit re-tokenizes one line and not a megabyte.
 *
 * A cut is made between a letter or digit and the line break or space after it. The pre-tokenizers of the GPT-2 family
 * split there whatever follows: no piece holds a letter followed by white space, and no look-behind crosses the cut.
 * Every such line break is a cut; inside long lines so is a space, at the first chance after `lineLimit` characters.
 *
 * @returns the parts; joined they are the text
 */
export function cutSegments(text: string): string[] {
  const segments: string[] = [];
  let from = 0;
  lineBreak.lastIndex = 0;
  for (let match = lineBreak.exec(text); match !== null; match = lineBreak.exec(text)) {
    pushLine(text, from, match.index + match[0].length, segments);
    from = match.index + match[0].length;
  }
  pushLine(text, from, text.length, segments);
  return segments;
}

const lineBreak = /[\p{L}\p{N}](?=\r?\n)/gu;
const wordEnd = /[\p{L}\p{N}](?= )/gu;

/** Characters after which a line is cut at the next word. */
const lineLimit = 512;

function pushLine(text: string, from: number, to: number, segments: string[]): void {
  let start = from;
  while (to - start > lineLimit) {
    wordEnd.lastIndex = start + lineLimit;
    const match = wordEnd.exec(text);
    if (match === null || match.index + match[0].length >= to) {
      break;
    }
    const end = match.index + match[0].length;
    segments.push(text.slice(start, end));
    start = end;
  }
  if (to > start) {
    segments.push(text.slice(start, to));
  }
}

/** What an edit left as it was. */
export interface UnchangedSegments {
  /** Segments at the start, and at the end, that are the same in both texts. */
  readonly head: number;
  readonly tail: number;
  /** The part of the new text between them, which is to be cut anew. */
  readonly from: number;
  readonly to: number;
}

/**
 * The segments of a text that are also segments of an edited one.
 *
 * A cut at a line break depends on the letter before it and the break alone, and what follows it on nothing before it. So
 * all segments up to the last such cut before the edit stay, and all from the first such cut after it on.
 * @param segments those of `before`
 */
export function unchangedSegments(segments: readonly string[], before: string, after: string): UnchangedSegments {
  const prefix = commonPrefix(before, after);
  const suffix = commonSuffix(before, after, Math.min(before.length, after.length) - prefix);
  let head = 0;
  let from = 0;
  for (let index = 0, end = 0; index < segments.length; index += 1) {
    end += segments[index].length;
    if (end + longestLineBreak > prefix) {
      break;
    }
    if (isLineEnd(before, end)) {
      head = index + 1;
      from = end;
    }
  }
  let tail = 0;
  let rest = 0;
  for (let index = segments.length - 1, start = before.length; index >= head; index -= 1) {
    start -= segments[index].length;
    // The letter before the cut must be unchanged too; it may be a pair of code units.
    if (start - longestLetter < before.length - suffix || start < from) {
      break;
    }
    if (isLineEnd(before, start)) {
      tail = segments.length - index;
      rest = before.length - start;
    }
  }
  return { head, tail, from, to: after.length - rest };
}

/** Code units of the longest line break and letter. */
const longestLineBreak = 2;
const longestLetter = 2;

/** Whether a cut at this offset is one at a line break. */
function isLineEnd(text: string, offset: number): boolean {
  return text[offset] === '\n' || (text[offset] === '\r' && text[offset + 1] === '\n');
}

/** Code units that are compared at once. */
const chunk = 4096;

function commonPrefix(a: string, b: string): number {
  const limit = Math.min(a.length, b.length);
  let at = 0;
  while (at + chunk <= limit && a.slice(at, at + chunk) === b.slice(at, at + chunk)) {
    at += chunk;
  }
  while (at < limit && a.charCodeAt(at) === b.charCodeAt(at)) {
    at += 1;
  }
  return at;
}

function commonSuffix(a: string, b: string, limit: number): number {
  let size = 0;
  while (size + chunk <= limit && a.slice(a.length - size - chunk, a.length - size) === b.slice(b.length - size - chunk, b.length - size)) {
    size += chunk;
  }
  while (size < limit && a.charCodeAt(a.length - size - 1) === b.charCodeAt(b.length - size - 1)) {
    size += 1;
  }
  return size;
}
