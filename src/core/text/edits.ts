/** A change of a text: `removed` code units from `offset` on gave way to `inserted` ones. Offsets are UTF-16 code units. */
export interface TextEdit {
  readonly offset: number;
  readonly removed: number;
  readonly inserted: number;
}

/** A part of a text, from its first code unit to the one after its last. */
export interface TextRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Where a word of an old text begins after edits, made one after another: at the first of its characters that is left.
 *
 * What is written right before the word pushes it on; what is written right behind it does not belong to it.
 * @returns undefined where nothing of the word is left
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

/** The range of the old text that holds every word which edits brought into a range of the new text. */
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
