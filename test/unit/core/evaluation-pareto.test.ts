import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paretoFront } from '../../../src/core/math/pareto';

const frontOf = (points: readonly (readonly (number | null)[])[]): readonly boolean[] => paretoFront(points, (point) => point);

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
});
