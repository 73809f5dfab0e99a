/** Code units compared at once. */
const chunk = 4096;

/** Length of the longest common prefix, in UTF-16 code units. */
export function commonPrefix(a: string, b: string): number {
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

/** Length of the longest common suffix up to a limit, in UTF-16 code units. */
export function commonSuffix(a: string, b: string, limit: number): number {
  let size = 0;
  while (size + chunk <= limit && a.slice(a.length - size - chunk, a.length - size) === b.slice(b.length - size - chunk, b.length - size)) {
    size += chunk;
  }
  while (size < limit && a.charCodeAt(a.length - size - 1) === b.charCodeAt(b.length - size - 1)) {
    size += 1;
  }
  return size;
}

/**
 * A change of a text: `removed` code units from `offset` on were replaced by `inserted` ones. Offsets are UTF-16 code
 * units.
 */
export interface TextEdit {
  readonly offset: number;
  readonly removed: number;
  readonly inserted: number;
}

/** A part of a text: offsets of its first code unit and of the one after its last. */
export interface TextRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Where a word of an old text begins after consecutive edits: at its first remaining character.
 *
 * Text inserted directly before the word moves it; text inserted directly after it does not belong to it.
 * @returns undefined if nothing of the word remains
 */
export function offsetAfter({ from, to }: TextRange, edits: readonly TextEdit[]): number | undefined {
  let start = from;
  let end = to;
  for (const { offset, removed, inserted } of edits) {
    const editEnd = offset + removed;
    start = start < offset ? start : start >= editEnd ? start + inserted - removed : offset + inserted;
    end = end <= offset ? end : end >= editEnd ? end + inserted - removed : offset;
    if (start >= end) {
      return undefined;
    }
  }
  return start;
}

/** The range of the old text with every word that edits moved into a range of the new text. */
export function rangeBefore({ from, to }: TextRange, edits: readonly TextEdit[]): TextRange {
  let start = from;
  let end = to;
  for (const { offset, removed, inserted } of edits.toReversed()) {
    const editEnd = offset + inserted;
    start = start <= offset ? start : start >= editEnd ? start - inserted + removed : offset;
    end = end < offset ? end : end >= editEnd ? end - inserted + removed : offset + removed;
  }
  return { from: start, to: end };
}

/** Most edits that are kept one by one: replacing a word everywhere makes one for each place. */
const mostEdits = 1000;

/** Consecutive edits followed by others; where they become many, one that spans them all. */
export function followedBy(edits: readonly TextEdit[], later: readonly TextEdit[]): readonly TextEdit[] {
  return edits.length + later.length <= mostEdits ? [...edits, ...later] : [[...edits, ...later].reduce(spanning)];
}

/** One edit that spans two consecutive ones, and what lies between. */
function spanning(first: TextEdit, second: TextEdit): TextEdit {
  const offset = Math.min(first.offset, second.offset);
  // Between the two edits.
  const end = Math.max(first.offset + first.inserted, second.offset + second.removed);
  return {
    offset,
    removed: end - first.inserted + first.removed - offset,
    inserted: end - second.removed + second.inserted - offset,
  };
}

/** A change of a text: `removed` code units from `offset` on became `inserted`. */
export interface TextChange {
  readonly offset: number;
  readonly removed: number;
  readonly inserted: string;
}

/** A text after consecutive changes. Those of one edit, which an editor tells from its end to its start, are made at once. */
export function changed(text: string, changes: readonly TextChange[]): string {
  let result = text;
  for (let next = 0; next < changes.length;) {
    const pieces: string[] = [];
    let from = result.length;
    do {
      const { offset, removed, inserted } = changes[next];
      pieces.push(result.slice(offset + removed, from), inserted);
      from = offset;
      next += 1;
    } while (next < changes.length && changes[next].offset + changes[next].removed <= from);
    pieces.push(result.slice(0, from));
    result = pieces.reverse().join('');
  }
  return result;
}
