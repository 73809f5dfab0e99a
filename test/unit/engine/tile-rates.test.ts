import { describe, expect, it } from 'vitest';
import { normal, uniform } from '../../../src/core/math/random';
import { tileRateOf } from '../../../src/engine/tasks/calibrate/attention-rates';
import { Rounds } from '../../../src/engine/tasks/calibrate/timing';

describe('rates of tiles', () => {
  /** Runs, first, open and masked tiles of layers, and what they take: 0.1 ms a run, 1.2, 1 and 1.1 ms a tile. */
  const features = [
    [4, 12, 60, 6],
    [30, 6, 15, 0],
    [12, 12, 0, 11],
    [30, 12, 10, 11],
    [12, 12, 0, 0],
    [6, 6, 30, 0],
    [8, 8, 28, 0],
  ];
  const truth = [0.1, 1.2, 1, 1.1];
  const timesOf = (noise: () => number): number[] =>
    features.map((row) => row.reduce((sum, count, index) => sum + count * truth[index], 0) * (1 + noise()));
  /** 4 M^2 m operations in at least 0.5 ms. */
  const limit = (4 * 64 ** 2 * 32 * 1000) / 0.5;

  it('are found among noise, with a residual of its size', () => {
    const next = normal(7);
    const { rate, refused } = tileRateOf(64, 32, { features, times: timesOf(() => 0.02 * next()) }, limit);
    expect(refused).toBe(0);
    expect(rate?.openMs).toBeCloseTo(1, 0);
    expect(rate?.fit).toMatchObject({ samples: 7, unknowns: 4 });
    expect(rate?.fit.error).toBeGreaterThan(0.002);
    expect(rate?.fit.error).toBeLessThan(0.06);
  });

  it('are never faster than the best product, whatever the times', () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const next = uniform(seed);
      const { rate } = tileRateOf(64, 32, { features, times: timesOf(() => 3 * next()) }, limit);
      expect(Math.min(rate?.firstMs ?? 1, rate?.openMs ?? 1, rate?.maskedMs ?? 1)).toBeGreaterThanOrEqual(0.5 - 1e-9);
    }
  });

  it('refuse times that no product could reach, and have none where too few are left', () => {
    const times = timesOf(() => 0).map((time, index) => (index === 2 ? time / 100 : time));
    const { rate, refused } = tileRateOf(64, 32, { features, times }, limit);
    expect(refused).toBe(1);
    expect(rate?.openMs).toBeCloseTo(1, 6);
    expect(tileRateOf(64, 32, { features, times: times.map((time) => time / 1000) }, limit)).toEqual({ rate: undefined, refused: 7 });
  });
});

describe('rounds of a measurement', () => {
  it('are one at least, and more while there is time', () => {
    const count = (rounds: Rounds): number => {
      let done = 0;
      while (rounds.next()) {
        done += 1;
      }
      return done;
    };
    expect(count(new Rounds(3, 0))).toBe(1);
    expect(count(new Rounds(3, performance.now() + 60_000))).toBe(3);
    const second = new Rounds(2, performance.now() + 60_000);
    expect([second.next(), second.done, second.next(), second.done, second.next()]).toEqual([true, 0, true, 1, false]);
  });
});
