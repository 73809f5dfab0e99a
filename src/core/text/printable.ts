import { said } from '../l10n';

/**
 * Characters that would break a line, control a terminal or reverse the direction of text: control, format and separator
 * characters, lone surrogates.
 */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Text with every invisible character escaped, such as `\u{202e}`: one line that shows what it contains. */
export function visible(text: string): string {
  return text.replace(unseen, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The same but for line feeds and tabs, which lay text out. */
export function visibleLines(text: string): string {
  return text.replace(unseen, (character) => (/[\t\n]/.test(character) ? character : visible(character)));
}

/** Characters of an excerpt, not counting the mark for omitted text. */
export const excerptLength = 200;
/** The beginning of a text says more about it than its end. */
const headLength = 140;

/**
 * The text of `[from, to)` in UTF-16 code units: in full if it is short, else its beginning and its end.
 *
 * @param read the text between two offsets; never asked for more than the excerpt shows
 */
export function excerptOf(read: (from: number, to: number) => string, from: number, to: number): string {
  if (to - from <= excerptLength) {
    return whole(read(from, to));
  }
  return `${whole(read(from, from + headLength))} … ${whole(read(to - excerptLength + headLength, to))}`;
}

/** Removes halves of surrogate pairs at the ends. */
function whole(text: string): string {
  return text.replace(/^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/g, '');
}

/** Most characters of a value in a message: with two of them and a file's name it is still one short line. */
const shownCharacters = 60;

/**
 * Text from a file for a message: one short line, whatever the file contains.
 *
 * @param limit characters at which it is cut
 */
export function shown(text: string, limit = shownCharacters): string {
  // One character more than fits tells whether there is more; the rest of a long text is not scanned.
  const escaped = visible(text.slice(0, limit + 1));
  return escaped.length > limit ? `${escaped.slice(0, limit)}…` : escaped;
}

/** `shown` in quotation marks. */
export function quoted(text: string): string {
  return `"${shown(text)}"`;
}

/** A value from a JSON file, in a few words. */
export function described(value: unknown): string {
  if (typeof value === 'string') {
    return quoted(value);
  }
  return Array.isArray(value) ? said`a list` : typeof value === 'object' && value !== null ? said`an object` : String(value);
}
