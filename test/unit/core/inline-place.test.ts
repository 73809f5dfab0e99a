import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inlinePlace } from '../../../src/core/hints/inline-place';

/** A line with the hint where it is put, for the place of `^` in it. */
function placed(marked: string): string {
  const line = marked.replace('^', '');
  const at = inlinePlace(line, marked.indexOf('^'));
  return `${line.slice(0, at)}^${line.slice(at)}`;
}

describe('a hint in the text', () => {
  it.each([
    ['problems in^herent to planning', 'problems ^inherent to planning'],
    ['problems^ inherent', 'problems^ inherent'],
    ['at 4,9^57 tokens', 'at ^4,957 tokens'],
    ['see https://sqlite.org/query^planner.html', 'see ^https://sqlite.org/queryplanner.html'],
    ['run `npm run bui^ld` now', 'run ^`npm run build` now'],
    ['run ``a ` b^c`` now', 'run ^``a ` bc`` now'],
    ['^# A heading', '# A heading^'],
    ['> - ^item', '> - item^'],
    ['wor^d', 'word^'],
    ['| a | b^ c |', '| a | b c |^'],
    ['', '^'],
  ])('for %s stands as in %s', (marked, expected) => {
    expect(placed(marked.includes('^') ? marked : `${marked}^`)).toBe(expected);
  });

  it('parts no word of a script without spaces', () => {
    const line = '量子コンピュータは従来のコンピュータでは解けない問題を解くことができると期待されていますがまだ課題があります';
    const starts = new Set([...new Intl.Segmenter('ja', { granularity: 'word' }).segment(line)].map(({ index }) => index));
    for (let at = 1; at < line.length; at += 1) {
      const place = inlinePlace(line, at);
      expect(place === line.length || starts.has(place), `${at}: ${place}`).toBe(true);
    }
  });

  it('stands in its line, never behind its own word, or at the end', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80, unit: fc.constantFrom('a', ' ', '`', '|', '#', '-', '漢', '.') }), fc.nat(80), (line, at) => {
        const character = Math.min(at, line.length);
        const place = inlinePlace(line, character);
        expect(place <= character || place === line.length).toBe(true);
        expect(place).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('is found at once in a line of a megabyte', () => {
    const line = 'a`'.repeat(500_000);
    expect(inlinePlace(line, 400_000)).toBeLessThanOrEqual(400_000);
  });
});
