import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutWindows, specialTokens } from '../../../src/core/evaluate/windows';
import { InputError } from '../../../src/core/errors';

const text = (length: number): Int32Array => Int32Array.from({ length }, (_, index) => 100 + index);
const none = { before: [], after: [] };

describe('windows of a text', () => {
  it('are disjoint where the stride is the context, and score all but the first token of each', () => {
    const windows = cutWindows(text(10), none, 4, 4, true, 'all');
    expect(windows.map(({ start, end, from, to }) => [start, end, from, to])).toEqual([
      [0, 4, 0, 3],
      [4, 8, 0, 3],
      [8, 10, 0, 1],
    ]);
    expect([...(windows[1].targets ?? [])]).toEqual([105, 106, 107]);
  });

  it('overlap where the stride is less, and score each token once, after as much context as there is', () => {
    const windows = cutWindows(text(10), none, 4, 2, true, 'all');
    expect(windows.map(({ start, end, from, to }) => [start, end, from, to])).toEqual([
      [0, 4, 0, 3],
      [2, 6, 1, 3],
      [4, 8, 1, 3],
      [6, 10, 1, 3],
    ]);
  });

  it('begin with special tokens, which let the first token be scored', () => {
    const [first, second] = cutWindows(text(6), { before: [1], after: [] }, 4, 4, true, 'all');
    expect([...first.tokens]).toEqual([1, 100, 101, 102]);
    expect([...(first.targets ?? [])]).toEqual([100, 101, 102]);
    expect([...second.tokens]).toEqual([1, 103, 104, 105]);
  });

  it('score the rows of the tokens themselves for a model that does not predict the next one', () => {
    const [window] = cutWindows(text(3), { before: [1], after: [2] }, 8, 8, false, 'all');
    expect([...window.tokens]).toEqual([1, 100, 101, 102, 2]);
    expect([window.from, window.to, window.targets]).toEqual([1, 4, undefined]);
  });

  it('score the last half as llama.cpp does, or all from a position on, and leave out windows without a scored one', () => {
    const ranges = (score: string, stride = 8): number[][] =>
      cutWindows(text(21), none, 8, stride, true, score).map(({ start, from, to }) => [start, from, to]);
    // llama.cpp: rows n_ctx/2 to n_ctx - 2 of each chunk; the last one, of 5 tokens, it leaves out.
    expect(ranges('last-half')).toEqual([
      [0, 4, 7],
      [8, 4, 7],
      [16, 2, 4],
    ]);
    expect(ranges('from=5')).toEqual([
      [0, 5, 7],
      [8, 5, 7],
    ]);
    // With half a context of stride, every window after the first scores its last half anyway.
    expect(ranges('last-half', 4).slice(1, 4)).toEqual([
      [4, 4, 7],
      [8, 4, 7],
      [12, 4, 7],
    ]);
    expect(ranges('from=8')).toEqual([]);
  });

  const specials = fc.record({
    before: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 2 }),
    after: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 1 }),
  });

  it('score every token once, each by the row before it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        specials,
        fc.integer({ min: 5, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        (length, around, context, stride) => {
          fc.pre(stride <= context);
          const windows = cutWindows(text(length), around, context, stride, true, 'all');
          const scored = windows.flatMap(({ tokens, from, to, targets }) => {
            expect(tokens.length).toBeLessThanOrEqual(context);
            expect([...(targets ?? [])]).toEqual([...tokens.slice(from + 1, to + 1)]);
            return [...(targets ?? [])];
          });
          expect(new Set(scored).size).toBe(scored.length);
          // Without special tokens the first token of the text, and of windows without overlap, follows nothing.
          const room = context - around.before.length - around.after.length;
          const unscored = around.before.length > 0 ? 0 : stride < room ? 1 : Math.ceil(length / room);
          expect(scored.length).toBe(length - unscored);
        },
      ),
    );
  });

  it.each([
    ['a context without room', 2, 2, { before: [1], after: [] }, /2 tokens has no room beside 1 special tokens; use at least 3/],
    ['a stride that skips tokens', 4, 5, none, /stride of 5 .* from 1 to 4/],
    ['a stride of 0', 4, 0, none, /stride of 0/],
  ])('refuse %s', (_, context, stride, around, message) => {
    expect(() => cutWindows(text(9), around, context, stride, true, 'all')).toThrow(InputError);
    expect(() => cutWindows(text(9), around, context, stride, true, 'all')).toThrow(message);
  });
});

it('finds the special tokens that a tokenizer puts around a text', () => {
  expect(specialTokens(Int32Array.of(1, 7, 8, 2), Int32Array.of(7, 8))).toEqual({ before: [1], after: [2] });
  expect(specialTokens(Int32Array.of(7, 8), Int32Array.of(7, 8))).toEqual(none);
  expect(specialTokens(Int32Array.of(1, 9, 8), Int32Array.of(7, 8))).toEqual(none);
});
