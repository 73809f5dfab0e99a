/** What would break a line, steer a terminal or turn the direction of text: control, format and separator characters, halves of pairs. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Text with every character that cannot be seen written out, such as `\u{202e}`: one line that reads as it is. */
export function visible(text: string): string {
  return text.replace(unseen, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

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

/** The most characters of a value that a message shows: with two of them and a file's name it stays one short line. */
const shownCharacters = 60;

/**
 * Text out of a file as messages may show it: one short line, whatever the file holds.
 *
 * @param limit characters from which on it is cut
 */
export function shown(text: string, limit = shownCharacters): string {
  // One character more than fits tells whether there is more; the rest of a long text is not looked at.
  const escaped = visible(text.slice(0, limit + 1));
  return escaped.length > limit ? `${escaped.slice(0, limit)}…` : escaped;
}

/** The same in quotation marks. */
export function quoted(text: string): string {
  return `"${shown(text)}"`;
}

/** Any value out of a JSON file, in a few words. */
export function described(value: unknown): string {
  if (typeof value === 'string') {
    return quoted(value);
  }
  return Array.isArray(value) ? 'a list' : typeof value === 'object' && value !== null ? 'an object' : String(value);
}
