/** Numbers that JSON has no literal for, as every document of Two Heads writes them. */
export const numberWords: Readonly<Record<string, number>> = { Infinity, '-Infinity': -Infinity, NaN };

/**
 * A document as JSON. Every number that is not finite is written as the text `"Infinity"`, `"-Infinity"` or `"NaN"`, never as
 * null; what reads it takes those texts for the numbers.
 *
 * @param indent spaces of one level; a single line where left out
 */
export function toJson(document: unknown, indent?: number): string {
  return JSON.stringify(document, (_key, value: unknown) => spelled(value), indent);
}

/** Plain data that goes through the JSON of others, such as a broker's: its numbers that are not finite spelled out. */
export function spelledOut(document: unknown): unknown {
  return JSON.parse(toJson(document));
}

function spelled(value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
