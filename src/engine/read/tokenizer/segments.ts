import { commonPrefix, commonSuffix } from '../../../core/text/edits';

/**
 * Cuts a prompt where a token is sure to end, so that an edit re-tokenizes one line and not a megabyte.
 *
 * A cut is made between a letter or digit and the line break or space after it. The pre-tokenizers of the GPT-2 family
 * always split there: no piece contains a letter followed by white space, and no look-behind crosses the cut. Every such
 * line break is a cut. After any other line break, the first such space of the next line is one; and inside long lines so
 * is the first such space after `lineLimit` characters. So cuts depend only on their own line and on how the previous line
 * ends, and two versions of a prompt have the same cuts again soon after an edit.
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

/** The cuts of a text after a given cut, with the end of the text last. They do not depend on anything before it. */
function* cutsAfter(text: string, cut: number): Generator<number> {
  let from = cut;
  // If the given cut is inside a line, that line already has its first cut; at a line break, the previous line ended with
  // one.
  let needsFirst = false;
  for (let line = cut; from < text.length;) {
    const end = lineEnd(text, line + breakAt(text, line));
    const start: number = needsFirst ? nextWordEnd(text, line, end) : from;
    if (needsFirst && start < end) {
      yield start;
      from = start;
    }
    for (
      let next = nextWordEnd(text, from + lineLimit, end);
      end - from > lineLimit && next < end;
      next = nextWordEnd(text, from + lineLimit, end)
    ) {
      yield next;
      from = next;
    }
    if (end === text.length || endsInWord(text, end)) {
      yield end;
      from = end;
      needsFirst = false;
    } else {
      needsFirst = true;
    }
    line = end;
  }
}

/** Characters after which a line is cut at the next word. */
const lineLimit = 512;

const wordEnd = /[\p{L}\p{N}](?= )/u;
const wordCharacter = /[\p{L}\p{N}]$/u;

/** Length of the line break at an offset; 0 if there is none. */
function breakAt(text: string, offset: number): number {
  return text[offset] === '\n' ? 1 : text[offset] === '\r' && text[offset + 1] === '\n' ? 2 : 0;
}

/** End of the line at an offset: its line break, or the end of the text. */
function lineEnd(text: string, offset: number): number {
  const at = text.indexOf('\n', offset);
  return at < 0 ? text.length : at > offset && text[at - 1] === '\r' ? at - 1 : at;
}

/** The end of the first word at or after an offset that is followed by a space, or the end of the line. */
function nextWordEnd(text: string, offset: number, end: number): number {
  if (offset >= end) {
    return end;
  }
  const match = wordEnd.exec(text.slice(offset, end));
  return match === null ? end : offset + match.index + match[0].length;
}

/** Whether a letter or digit comes before an offset; it may be a surrogate pair. */
function endsInWord(text: string, offset: number): boolean {
  return wordCharacter.test(text.slice(Math.max(0, offset - 2), offset));
}

/** The change of a text's segments by an edit. */
interface ChangedSegments {
  /** Number of unchanged segments at the start, and at the end. */
  readonly head: number;
  readonly tail: number;
  /** The segments of the new text between them. */
  readonly segments: readonly string[];
}

/**
 * The segments of an edited text, from those of the previous version.
 *
 * A cut depends on the text between the previous cut and the break or space after it. So segments whose cut lies wholly
 * before the edit stay, and from there the text is cut again, until it reaches a cut of the previous version: from then on
 * both versions agree.
 * @param offsets starts of the segments of `before`, ascending, and its length
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
