import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ParetoCost, paretoFront } from '../../../src/core/math/pareto';

const frontOf = (points: readonly (readonly (number | null)[])[]): readonly boolean[] =>
  paretoFront(points, (point) => point).map(({ onFront }) => onFront);

describe('the Pareto front', () => {
  it.each([
    ['is empty for no points', [], []],
    ['has the one point', [[3, 4]], [true]],
    ['has the least of one cost, all of them', [[2], [1], [1], [3]], [false, true, true, false]],
    [
      'has no point that another equals in one cost and beats in the other',
      [
        [1, 2],
        [1, 3],
        [2, 2],
      ],
      [true, false, false],
    ],
    [
      'has points with the same costs, all or none',
      [
        [1, 2],
        [1, 2],
        [3, 3],
        [3, 3],
      ],
      [true, true, false, false],
    ],
    [
      'has no point without a cost, and lets it beat nothing',
      [
        [NaN, 0],
        [null, 0],
        [5, 5],
      ],
      [false, false, true],
    ],
    [
      'takes infinity for a cost',
      [
        [Infinity, 1],
        [2, 2],
        [Infinity, 3],
      ],
      [true, true, false],
    ],
  ])('%s', (_, points, expected) => {
    expect(frontOf(points)).toEqual(expected);
  });

  // Few values, so that ties are common.
  const cost = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: -3, max: 3 }) },
    { weight: 1, arbitrary: fc.constantFrom(NaN, null, Infinity) },
  );
  const clouds = fc
    .integer({ min: 1, max: 4 })
    .chain((costs) => fc.array(fc.array(cost, { minLength: costs, maxLength: costs }), { maxLength: 25 }));

  it('is what its definition says', () => {
    fc.assert(
      fc.property(clouds, (points) => {
        const whole = points.filter((point): point is number[] => point.every((each) => each !== null && !Number.isNaN(each)));
        const expected = points.map((point) => {
          const own = whole.find((other) => other === point);
          if (own === undefined) {
            return false;
          }
          for (const other of whole) {
            let [worse, better] = [0, 0];
            other.forEach((each, index) => {
              worse += Number(each > own[index]);
              better += Number(each < own[index]);
            });
            if (worse === 0 && better > 0) {
              return false;
            }
          }
          return true;
        });
        expect(frontOf(points)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('beats every point that is not on it, and never itself', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(6), fc.nat(6)), { minLength: 1, maxLength: 30 }), (points) => {
        const front = frontOf(points);
        expect(front).toContain(true);
        const best = points.filter((_, index) => front[index]);
        points.forEach(([x, y], index) => {
          expect(best.some(([bestX, bestY]) => bestX <= x && bestY <= y && bestX + bestY < x + y)).toBe(!front[index]);
        });
      }),
    );
  });

  const measured = (value: number, reach: number): ParetoCost => ({ value, low: value - reach, high: value + reach });
  const standings = (...points: ParetoCost[][]): string[] =>
    paretoFront(points, (point) => point).map(({ onFront, isTie }) => `${onFront ? 'front' : 'beaten'}${isTie ? ', tie' : ''}`);

  it('calls a difference inside intervals a tie, on both sides of the front', () => {
    // The dearer point is better by less than the intervals; then by more.
    expect(standings([1, measured(5, 1)], [2, measured(4, 1)])).toEqual(['front', 'front, tie']);
    expect(standings([1, measured(5, 0.4)], [2, measured(4, 0.4)])).toEqual(['front', 'front']);
    // The dearer point is worse by less than the intervals; then by more.
    expect(standings([1, measured(4, 1)], [2, measured(5, 1)])).toEqual(['front', 'beaten, tie']);
    expect(standings([1, measured(4, 0.4)], [2, measured(5, 0.4)])).toEqual(['front', 'beaten']);
    // Of equal cost: the better one by value is on the front, the other may be.
    expect(standings([1, measured(4, 1)], [1, measured(5, 1)])).toEqual(['front', 'beaten, tie']);
    // What differs in nothing buys nothing.
    expect(standings([1, measured(0, 0)], [2, measured(0, 0)])).toEqual(['front', 'beaten']);
    expect(standings([1, measured(0.5, 1)], [2, 0])).toEqual(['front', 'front, tie']);
  });

  it('takes a value whose interval is not known as exact, and has no tie among numbers', () => {
    expect(standings([1, measured(5, NaN)], [2, measured(4.9, NaN)], [3, { value: NaN, low: 0, high: 9 }])).toEqual([
      'front',
      'front',
      'beaten',
    ]);
    fc.assert(
      fc.property(clouds, (points) => {
        expect(paretoFront(points, (point) => point).some(({ isTie }) => isTie)).toBe(false);
      }),
    );
  });

  it('has no tie that intervals of no width would not have, and never loses a tie as they grow', () => {
    const cloud = fc.array(fc.tuple(fc.nat(6), fc.nat(6)), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(cloud, fc.double({ min: 0, max: 3, noNaN: true }), (points, reach) => {
        const ties = (half: number): boolean[] => paretoFront(points, ([x, y]) => [x, measured(y, half)]).map(({ isTie }) => isTie);
        expect(ties(0)).toEqual(points.map(() => false));
        const grown = ties(reach + 0.5);
        ties(reach).forEach((tie, index) => expect(!tie || grown[index]).toBe(true));
      }),
    );
  });
});
