import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  changed,
  followedBy,
  offsetAfter,
  rangeBefore,
  type TextChange,
  type TextEdit,
  type TextRange,
} from '../../../src/core/text/edits';
import { runs } from '../../support/arbitrary';

/** A character of a text with a name of its own: its place in the old text, or -1 for what was written since. */
type NamedText = readonly number[];

const written = -1;

function apply(text: NamedText, { offset, removed, inserted }: TextEdit): NamedText {
  return [...text.slice(0, offset), ...Array.from({ length: inserted }, () => written), ...text.slice(offset + removed)];
}

/** A text of some length, edits that fit it one after another, a word and a range of the new text. */
const cases = fc
  .record({
    length: fc.integer({ min: 1, max: 60 }),
    raw: fc.array(fc.tuple(fc.nat(), fc.nat(9), fc.nat(6)), { maxLength: 8 }),
    seed: fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat()),
  })
  .map(({ length, raw, seed }) => {
    const old: NamedText = Array.from({ length }, (_, index) => index);
    let text = old;
    const edits = raw.map(([place, removed, inserted]): TextEdit => {
      const offset = place % (text.length + 1);
      const edit = { offset, removed: Math.min(removed, text.length - offset), inserted };
      text = apply(text, edit);
      return edit;
    });
    const rangeIn = (size: number, from: number, reach: number): TextRange => ({
      from: from % size,
      to: Math.min(size, (from % size) + 1 + (reach % 5)),
    });
    return { text, edits, word: rangeIn(length, seed[0], seed[1]), seen: rangeIn(text.length + 1, seed[2], seed[3] * 7) };
  });

describe('a place in a text that is edited', () => {
  it('stays at the first character that is left of its word', () => {
    fc.assert(
      fc.property(cases, ({ text, edits, word }) => {
        const left = text.findIndex((name) => name >= word.from && name < word.to);
        const offset = offsetAfter(word, edits);
        // What is written where the word's first characters were counts as a part of it.
        if (left < 0) {
          expect(offset === undefined || text[offset] === written).toBe(true);
        } else {
          expect(offset).toBeDefined();
          expect(text.slice(offset, left).every((name) => name === written)).toBe(true);
        }
      }),
      runs,
    );
  });

  it('does not move without edits, nor by edits behind its word', () => {
    fc.assert(
      fc.property(cases, ({ edits, word }) => {
        expect(offsetAfter(word, [])).toBe(word.from);
        expect(
          offsetAfter(
            word,
            edits.map((edit) => ({ ...edit, offset: edit.offset + word.to })),
          ),
        ).toBe(word.from);
        const grown = edits.reduce((sum, { inserted }) => sum + inserted, 0);
        expect(
          offsetAfter(
            word,
            edits.map(({ inserted }) => ({ offset: 0, removed: 0, inserted })),
          ),
        ).toBe(word.from + grown);
      }),
      runs,
    );
  });

  it('is found again from what the editor shows: no word on screen is missed', () => {
    fc.assert(
      fc.property(cases, ({ edits, word, seen }) => {
        const offset = offsetAfter(word, edits);
        fc.pre(offset !== undefined && offset >= seen.from && offset <= seen.to);
        const before = rangeBefore(seen, edits);
        expect(before.from).toBeLessThan(word.to);
        expect(before.to).toBeGreaterThanOrEqual(word.from);
      }),
      runs,
    );
  });

  it('keeps to the word in the cases that typing is made of', () => {
    const word = { from: 10, to: 14 };
    expect(offsetAfter(word, [{ offset: 10, removed: 0, inserted: 1 }])).toBe(11);
    expect(offsetAfter(word, [{ offset: 14, removed: 0, inserted: 1 }])).toBe(10);
    expect(offsetAfter(word, [{ offset: 9, removed: 1, inserted: 0 }])).toBe(9);
    expect(offsetAfter(word, [{ offset: 10, removed: 1, inserted: 0 }])).toBe(10);
    expect(offsetAfter(word, [{ offset: 8, removed: 4, inserted: 9 }])).toBe(17);
    expect(offsetAfter(word, [{ offset: 10, removed: 4, inserted: 4 }])).toBeUndefined();
    expect(offsetAfter(word, [{ offset: 0, removed: 100, inserted: 100 }])).toBeUndefined();
  });
});

describe('very many edits', () => {
  it('become one that spans them: what it leaves is where they all leave it', () => {
    fc.assert(
      fc.property(cases, ({ text, edits }) => {
        // Twice there and back makes as many as it takes, and the same text.
        const more = Array.from({ length: 501 }, (): TextEdit[] => [
          { offset: text.length, removed: 0, inserted: 1 },
          { offset: text.length, removed: 1, inserted: 0 },
        ]).flat();
        const whole = followedBy(edits, more);
        expect(whole).toHaveLength(1);
        const [{ offset, removed, inserted }] = whole;
        const length = text.length - edits.reduce((grown, edit) => grown + edit.inserted - edit.removed, 0);
        expect(length - removed + inserted).toBe(text.length);
        for (let old = 0; old < offset; old += 1) {
          expect(text[old]).toBe(old);
        }
        for (let old = offset + removed; old < length; old += 1) {
          expect(text[old - removed + inserted]).toBe(old);
        }
      }),
      runs,
    );
  });

  it('are as they were while they are few', () => {
    const edit = { offset: 1, removed: 2, inserted: 3 };
    expect(followedBy([edit], [edit, edit])).toEqual([edit, edit, edit]);
  });

  it('change a text as one after another would', () => {
    const changes = fc.array(fc.record({ offset: fc.nat(), removed: fc.nat(5), inserted: fc.string({ maxLength: 4 }) }), { maxLength: 30 });
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 40 }), changes, (text, raw) => {
        let expected = text;
        const fitted = raw.map(({ offset, removed, inserted }): TextChange => {
          const at = offset % (expected.length + 1);
          expected = expected.slice(0, at) + inserted + expected.slice(at + removed);
          return { offset: at, removed, inserted };
        });
        expect(changed(text, fitted)).toBe(expected);
      }),
      runs,
    );
  });
});
