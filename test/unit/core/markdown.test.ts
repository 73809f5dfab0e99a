import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Outline, outlineOf, sectionsOf } from '../../../src/core/text/headings';
import { runs } from '../../support/arbitrary';

/** Headings as `level title`. */
const outline = (...lines: string[]): string[] => outlineOf(lines.join('\n')).headings.map(({ level, title }) => `${level} ${title}`);

const pieces = fc.constantFrom(
  '# ',
  '## ',
  '### ',
  '```',
  '---',
  '===',
  'word',
  '- ',
  '> ',
  '  ',
  '\n',
  '\n',
  '\n\n',
  '\n---\n',
  '<!--',
  '-->',
);
/** Room between blocks, so that some are read anew and some are not. */
const paragraph = `${'word '.repeat(120)}\n\n`;

describe('headings', () => {
  it('begin with one to six #, a space, and at most three columns of indentation', () => {
    expect(outline('# a', '###### b', '   ## c', '####### no', '#no', '    # code', '\t# code', '#', '#\ttab')).toEqual([
      '1 a',
      '6 b',
      '2 c',
      '1 ',
      '1 tab',
    ]);
    expect(outline('## a ##', '# b #   ', '# c#', '# d # e', '### ###')).toEqual(['2 a', '1 b', '1 c#', '1 d # e', '3 ']);
  });

  it('are underlined paragraphs too, of several lines', () => {
    expect(outline('one', '===', 'two', '-', '', 'three', '  and four', '--- ', 'five', '    ---', '')).toEqual([
      '1 one',
      '2 two',
      '2 three and four',
    ]);
    expect(outline('', '---', 'a', '', '===', '', '    code', '---', '[x]: /link', '===')).toEqual([]);
  });

  it('are not in fences, whose end is as long as their start and of its kind', () => {
    expect(outline('```sh', '# a', '~~~', '``', '``` x', '# b', '````', '# c')).toEqual(['1 c']);
    expect(outline('~~~~ `x`', '# a', '~~~', '```', '# b', '   ~~~~', '# c')).toEqual(['1 c']);
    expect(outline('```', '# a', '    ```', '# b')).toEqual([]);
    expect(outline('``` a`b', '# c', '    ```', '# d')).toEqual(['1 c', '1 d']);
  });

  it('are not in lists and quotes, whose fences end with them', () => {
    expect(outline('- # a', '  # b', '', '  # c', '# d')).toEqual(['1 d']);
    expect(outline('> # a', '# b', '> c', '===', '> d', '---', 'e', '---')).toEqual(['1 b', '2 e']);
    expect(outline('1. ```', '   # a', '# b', '10) c', '    ~~~', '    # d', 'e', '---')).toEqual(['1 b', '2 e']);
    expect(outline('- a', 'b', '---', '* * *', '-', '', '  # c')).toEqual(['1 c']);
  });

  it('are not in HTML, which ends with its tag or at a blank line', () => {
    expect(outline('<!-- a', '# b', '', '# c -->', '# d')).toEqual(['1 d']);
    expect(outline('<div>', '# a', '', '# b', '<task id="1">', '# c', '', 'text', '<task>', '# d')).toEqual(['1 b', '1 d']);
    expect(outline('<pre>', '', '# a', '</pre>', '# b', '<https://x.y>', '---')).toEqual(['1 b', '2 <https://x.y>']);
  });

  it('are not in front matter, which is closed', () => {
    expect(outline('---', '# a', 'b: c', '---', '# d')).toEqual(['1 d']);
    expect(outline('---', '---', '# a')).toEqual(['1 a']);
    expect(outline('---', '# a', 'b', '--- c')).toEqual(['1 a']);
    expect(outline('', '---', '# a', '---')).toEqual(['1 a']);
  });

  it('are placed by their first character and the end of their line', () => {
    const text = 'x\r\n  ## a b ##\r\nc\r\nd\r\n===\r\n';
    expect(outlineOf(text).headings.map(({ from, to }) => text.slice(from, to))).toEqual(['## a b ##', 'c']);
  });
});

describe('an outline', () => {
  it('is the same after edits as from scratch', () => {
    const text = fc.array(fc.oneof(pieces, fc.constant(paragraph)), { minLength: 10, maxLength: 60 }).map((parts) => parts.join(''));
    const edits = fc.array(
      fc.record({ place: fc.nat(), removed: fc.oneof(fc.nat(5), fc.nat(3000)), written: fc.array(pieces, { maxLength: 3 }) }),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(text, edits, (first, changes) => {
        let outline: Outline = outlineOf(first);
        for (const { place, removed, written } of changes) {
          const at = place % (outline.text.length + 1);
          outline = outlineOf(outline.text.slice(0, at) + written.join('') + outline.text.slice(at + removed), outline);
          expect(outline.headings).toEqual(outlineOf(outline.text).headings);
        }
      }),
      runs,
    );
  });
});

describe('sections', () => {
  it('reach to the next heading of the same or a higher level', () => {
    const text = 'intro\n# a\n### b\n## c\n### d\n# e\ntext';
    expect(sectionsOf(outlineOf(text)).map(({ from, end }) => text.slice(from, end))).toEqual([
      '# a\n### b\n## c\n### d\n',
      '### b\n',
      '## c\n### d\n',
      '### d\n',
      '# e\ntext',
    ]);
  });

  it('nest, whatever the text is', () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const text = parts.join('');
        const open: number[] = [];
        for (const { from, to, end, level } of sectionsOf(outlineOf(text))) {
          expect(from).toBeLessThan(to);
          expect(to).toBeLessThanOrEqual(end);
          while (open.length > 0 && open[open.length - 1] <= from) {
            open.pop();
          }
          expect(open.every((outer) => end <= outer)).toBe(true);
          expect(level).toBeGreaterThanOrEqual(1);
          open.push(end);
        }
      }),
      runs,
    );
  });
});
