import { describe, expect, it } from 'vitest';
import { isPattern, matchesPattern, withoutBraces } from '../../../src/core/text/glob';

const fits = (pattern: string, path: string): boolean => matchesPattern(pattern.split('/'), path.split('/'));

describe('a pattern of paths', () => {
  it.each([
    ['*.md', 'a.md', true],
    ['*.md', 'b/a.md', false],
    ['*.md', '.a.md', false],
    ['.*.md', '.a.md', true],
    ['**/*.md', 'a.md', true],
    ['**/*.md', 'b/c/a.md', true],
    ['**/*.md', 'b/.c/a.md', false],
    ['b/**/a.md', 'b/a.md', true],
    ['b/**', 'b/c/d', true],
    ['b/**/x/*.md', 'b/x/x/a.md', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[!a-c]x', 'dx', true],
    ['a*b*c', 'a1b2b3c', true],
    ['a*b*c', 'a1b2b3', false],
    ['*', 'é😀', true],
    ['??', 'é😀', true],
    ['a.c', 'abc', false],
  ])('%s fits %s: %s', (pattern, path, expected) => {
    expect(fits(pattern, path)).toBe(expected);
  });

  it('has alternatives in braces, up to a limit', () => {
    expect(withoutBraces('{a,b}/{c,d{e,f}}.md')).toEqual(
      ['a/c.md', 'a/de.md', 'a/df.md', 'b/c.md', 'b/de.md', 'b/df.md'].sort((x, y) => x.localeCompare(y)),
    );
    expect(withoutBraces('a{b}c{')).toEqual(['a{b}c{']);
    expect(() => withoutBraces('{a,b}'.repeat(40))).toThrow(/more than 256 patterns/);
    // As many as are in one pair of braces are refused as well, and not tried.
    expect(() => withoutBraces(`{${','.repeat(200_000)}}`)).toThrow(/^\{,+… stands for more than 256 patterns/);
    expect(withoutBraces('}a},{b{,c}')).toEqual(['}a},{b', '}a},{bc']);
    expect([isPattern('a/b.md'), isPattern('a/*.md')]).toEqual([false, true]);
  });

  it('never takes long', () => {
    const open = `{${','.repeat(2_000_000)}`;
    expect(withoutBraces(open)).toEqual([open]);
    expect(fits(`${'*a'.repeat(200)}b`, 'a'.repeat(4000))).toBe(false);
    expect(
      matchesPattern(
        Array.from({ length: 200 }, () => '**'),
        Array.from({ length: 300 }, () => 'x'),
      ),
    ).toBe(true);
  });
});
