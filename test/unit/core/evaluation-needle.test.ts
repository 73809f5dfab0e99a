import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultNeedle, needleGrid, type NeedleScore, placeNeedle } from '../../../src/core/evaluate/needles';
import { InputError } from '../../../src/core/errors';

const haystack = Array.from({ length: 50 }, (_, index) => 100 + index);
const needle = [1, 2, 3];
const question = Int32Array.of(1, 2);

describe('a needle', () => {
  it('is answered by what its question leads to', () => {
    expect(defaultNeedle.needle.trim()).toBe(`${defaultNeedle.question}${defaultNeedle.answer}.`.trim());
    expect(defaultNeedle.answer.startsWith(' ')).toBe(true);
  });

  it.each([
    [0, [9, 1, 2, 3, 100, 101, 102, 103, 1, 2], 1],
    [0.5, [9, 100, 101, 1, 2, 3, 102, 103, 1, 2], 3],
    [1, [9, 100, 101, 102, 103, 1, 2, 3, 1, 2], 5],
  ])('lies at depth %d', (depth, tokens, needleStart) => {
    expect(placeNeedle(haystack, needle, question, 10, depth, [9])).toEqual({ tokens: Int32Array.from(tokens), needleStart, answerAt: 10 });
  });

  it('is placed exactly, at any length and depth', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 5, max: 55 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.array(fc.constant(9), { maxLength: 2 }),
        (length, depth, prefix) => {
          fc.pre(length >= 5 + prefix.length);
          const { tokens, needleStart, answerAt } = placeNeedle(haystack, needle, question, length, depth, prefix);
          expect(tokens).toHaveLength(length);
          expect(answerAt).toBe(length);
          expect([...tokens.subarray(needleStart, needleStart + 3)]).toEqual(needle);
          expect([...tokens.subarray(length - 2)]).toEqual([...question]);
          expect([...tokens.subarray(0, prefix.length)]).toEqual(prefix);
          // The rest is the haystack's beginning, in order.
          const rest = [...tokens.subarray(prefix.length, needleStart), ...tokens.subarray(needleStart + 3, length - 2)];
          expect(rest).toEqual(haystack.slice(0, rest.length));
          expect(Math.abs(needleStart - prefix.length - depth * rest.length)).toBeLessThanOrEqual(0.5);
        },
      ),
    );
  });

  it.each([
    ['a depth above 1', 20, 1.5, 'Needle depth 1.5 is not between 0 and 1'],
    ['no depth', 20, NaN, 'Needle depth NaN is not between 0 and 1'],
    ['a length without room', 4, 0.5, 'Needle length 4 has no room for the needle and its question; use a whole number from 5 tokens on.'],
    ['a broken length', 20.5, 0.5, 'Needle length 20.5'],
    [
      'a short haystack',
      60,
      0.5,
      'The haystack has 50 tokens and a needle test of length 60 takes 55; use a longer text or a length of at most 55.',
    ],
  ])('refuses %s', (_, length, depth, message) => {
    const place = (): unknown => placeNeedle(haystack, needle, question, length, depth);
    expect(place).toThrow(InputError);
    expect(place).toThrow(message);
  });
});

describe('the grid of needle scores', () => {
  const score: NeedleScore = { length: 256, depth: 0.5, logProbability: -1, rank: 1, baselineLogProbability: -0.5, baselineRank: 1 };

  it('sums up by length and depth', () => {
    const grid = needleGrid([{ ...score, length: 1024 }, score, { ...score, logProbability: -3, rank: 7 }, { ...score, depth: 0 }]);
    expect(grid.lengths).toEqual([256, 1024]);
    expect(grid.depths).toEqual([0, 0.5]);
    expect(grid.cells[1][0]).toBeNull();
    expect(grid.cells[0][1]).toEqual({
      count: 2,
      logProbability: -2,
      baselineLogProbability: -0.5,
      found: 0.5,
      baselineFound: 1,
      rank: 7,
      baselineRank: 1,
    });
    expect(needleGrid([])).toEqual({ lengths: [], depths: [], cells: [] });
  });

  it('lets NaN surface in its own cell', () => {
    const grid = needleGrid([{ ...score, logProbability: NaN, rank: NaN }, score, { ...score, depth: 1, logProbability: -Infinity }]);
    expect(grid.cells[0][0]).toMatchObject({ logProbability: NaN, found: NaN, rank: NaN, baselineFound: 1 });
    expect(grid.cells[0][1]).toMatchObject({ logProbability: -Infinity, found: 1 });
  });
});
