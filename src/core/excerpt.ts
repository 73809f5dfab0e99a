/** Characters that an excerpt has, the mark of what is left out aside. */
export const excerptLength = 200;
/** Where a text begins says more about it than where it ends. */
const headLength = 140;

/**
 * The text of `[from, to)` in UTF-16 code units: as it is where it is short, else its beginning and its end.
 *
 * @param read the text between two offsets; never asked for more than the excerpt shows
 */
export function excerptOf(read: (from: number, to: number) => string, from: number, to: number): string {
  if (to - from <= excerptLength) {
    return whole(read(from, to));
  }
  return `${whole(read(from, from + headLength))} … ${whole(read(to - excerptLength + headLength, to))}`;
}

/** Without the halves of characters that were cut in two. */
function whole(text: string): string {
  return text.replace(/^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/g, '');
}
