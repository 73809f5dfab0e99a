import { describe, expect, it } from 'vitest';
import { exponentiate } from '../../../src/core/math/exponentials';

const count = 200_000;

describe('exponentials in place', () => {
  it('are those of Math.exp to within 2e-15 of each, and their sum, in the range alone', () => {
    const numbers = Float64Array.from({ length: count }, (_, index) => 40 - (690 * index) / count);
    const found = numbers.slice();
    const sum = exponentiate(found, 1, count - 1, 40);
    expect([found[0], found[count - 1]]).toEqual([numbers[0], numbers[count - 1]]);
    let [worst, expected] = [0, 0];
    for (let at = 1; at < count - 1; at += 1) {
      const exact = Math.exp(numbers[at] - 40);
      worst = Math.max(worst, Math.abs(found[at] / exact - 1));
      expected += exact;
    }
    expect(worst).toBeLessThan(2e-15);
    expect(Math.abs(sum / expected - 1)).toBeLessThan(1e-14);
  });

  it('are 1 at the shift, next to nothing far below it, and not a number where there was none', () => {
    const numbers = Float64Array.of(3, -1e6, -Infinity, NaN);
    exponentiate(numbers, 0, 4, 3);
    expect(numbers[0]).toBe(1);
    expect(numbers[1]).toBeLessThan(1e-303);
    expect(numbers[2]).toBe(numbers[1]);
    expect(numbers[3]).toBeNaN();
  });
});
