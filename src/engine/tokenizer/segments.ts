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
  for (const end of cutsAfter(text, 0)) {
    segments.push(text.slice(from, end));
    from = end;
  }
  return segments;
}

/** The cuts of a text after one of them, the end of the text last. They depend on nothing before that one. */
export function* cutsAfter(text: string, cut: number): Generator<number> {
  let from = cut;
  while (from < text.length) {
    lineBreak.lastIndex = from;
    const match = lineBreak.exec(text);
    const to = match === null ? text.length : match.index + match[0].length;
    yield* wordCuts(text, from, to);
    yield to;
    from = to;
  }
}

const lineBreak = /[\p{L}\p{N}](?=\r?\n)/gu;
const wordEnd = /[\p{L}\p{N}](?= )/gu;

/** Characters after which a line is cut at the next word. */
const lineLimit = 512;

function* wordCuts(text: string, from: number, to: number): Generator<number> {
  let start = from;
  while (to - start > lineLimit) {
    wordEnd.lastIndex = start + lineLimit;
    const match = wordEnd.exec(text);
    if (match === null || match.index + match[0].length >= to) {
      return;
    }
    start = match.index + match[0].length;
    yield start;
  }
}

/** What an edit changes of a text's segments. */
export interface ChangedSegments {
  /** Segments at the start, and at the end, that are the same in both texts. */
  readonly head: number;
  readonly tail: number;
  /** The segments of the new text between them. */
  readonly segments: readonly string[];
}

/**
 * The segments of an edited text, where those of the text before it are known.
 *
 * A cut depends on what lies between the cut before it and the break or space after it. So all segments stay whose cut lies
 * wholly before the edit, and from there the text is cut anew, until a cut comes that the text before had too: from then on
 * both are the same.
 * @param offsets where the segments of `before` begin, ascending, and its length
 */
export function changedSegments(offsets: Float64Array, before: string, after: string): ChangedSegments {
  const prefix = commonPrefix(before, after);
  const suffix = commonSuffix(before, after, Math.min(before.length, after.length) - prefix);
  const count = offsets.length - 1;
  const head = count === 0 ? 0 : lastAtMost(offsets, Math.max(0, prefix - longestLineBreak));
  const grown = after.length - before.length;
  const segments: string[] = [];
  let from = offsets[head] ?? 0;
  for (const end of cutsAfter(after, from)) {
    segments.push(after.slice(from, end));
    from = end;
    if (end >= after.length - suffix && end < after.length) {
      const index = lastAtMost(offsets, end - grown);
      if (offsets[index] === end - grown) {
        return { head, tail: count - index, segments };
      }
    }
  }
  return { head, tail: 0, segments };
}

/** Code units of the longest line break. */
const longestLineBreak = 2;

/** The last index, sentinel excluded, whose value is at most `target`, in an ascending array. */
export function lastAtMost(values: Float64Array, target: number): number {
  let low = 0;
  let high = values.length - 2;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (values[middle] <= target) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
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
