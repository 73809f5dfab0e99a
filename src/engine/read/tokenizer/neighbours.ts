import { codePoint, unitsOf } from './characters';
import { PairTable } from './pair-table';

/** Which characters are neighbours in any of these tokens, as a question about two code points. */
export function neighboursIn(tokens: Iterable<string>): (before: number, after: number) => boolean {
  const pairs = new PairTable(2 ** 14);
  for (const token of tokens) {
    let before = codePoint(token, 0);
    for (let at = unitsOf(before); at < token.length;) {
      const after = codePoint(token, at);
      pairs.set(before, after, 1);
      before = after;
      at += unitsOf(after);
    }
  }
  return (before, after) => pairs.get(before, after) === 1;
}
