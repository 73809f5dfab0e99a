import { expect } from 'vitest';
import { documentOffset, type MappedText, textOffset } from '../../src/core/source/pieces';

/** Checks that a text's map ascends, and that each place which leads to the document leads back to the first that does. */
export function checkAscends({ text, pieces }: MappedText): void {
  if (pieces === null) {
    return;
  }
  const from = Array.from(pieces.from);
  expect(from).toEqual(from.toSorted((one, other) => one - other));
  const firsts = new Map<number, number>();
  for (let at = 0; at < text.length; at += 1) {
    const place = documentOffset(pieces, at);
    const first = firsts.get(place) ?? at;
    firsts.set(place, first);
    expect(textOffset(pieces, place)).toBe(first);
  }
}
