import { visible } from '../text';

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
