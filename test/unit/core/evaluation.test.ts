import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addValue,
  estimateMean,
  estimateShare,
  meanOf,
  type Moments,
  noMoments,
  studentQuantile,
} from '../../../src/core/evaluate/estimate';
import { histogramOf, maximumOf, mergeHistograms, quantileError, quantileOf } from '../../../src/core/evaluate/histogram';
import {
  measures,
  mergeWindows,
  positionBins,
  summariseWindow,
  type ScoredPosition,
  type WindowSummary,
} from '../../../src/core/evaluate/statistics';

function momentsOf(values: readonly number[]): Moments {
  const moments = { ...noMoments };
  values.forEach((value) => addValue(moments, value));
  return moments;
}

const context = 100;
const edges = positionBins(context);
const nats = fc.double({ min: 0, max: 30, noNaN: true });
const scored: fc.Arbitrary<ScoredPosition> = fc
  .record({
    position: fc.nat(context - 1),
    losses: fc.option(fc.tuple(nats, nats)),
    divergence: fc.oneof(nats, fc.constantFrom(NaN, Infinity, -1e-9)),
    agrees: fc.boolean(),
  })
  .map(({ losses, ...rest }) => ({ ...rest, loss: losses?.[0], baselineLoss: losses?.[1] }));
const pieces = fc.array(scored, { maxLength: 30 });

/** Counts exact, sums to rounding. */
function expectAlike(one: WindowSummary, other: WindowSummary): void {
  expect(one.divergences).toEqual(other.divergences);
  one.bins.forEach((bin, index) => {
    for (const measure of measures) {
      const { sum, squares, ...counts } = bin[measure];
      const { sum: otherSum, squares: otherSquares, ...otherCounts } = other.bins[index][measure];
      expect(counts).toEqual(otherCounts);
      expect(Math.abs(sum - otherSum)).toBeLessThanOrEqual(1e-12 * (1 + squares));
      expect(Math.abs(squares - otherSquares)).toBeLessThanOrEqual(1e-12 * (1 + squares));
    }
  });
}

describe('the summary of a window', () => {
  it.each([
    [1, [0, 1]],
    [2, [0, 1, 2]],
    [8, [0, 1, 2, 4, 8]],
    [9, [0, 1, 2, 4, 9]],
    [12, [0, 1, 2, 4, 8, 12]],
    [1024, [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]],
  ])('has readable bins for a context of %d', (tokens, expected) => {
    expect(positionBins(tokens)).toEqual(expected);
  });

  it('sums what was worked out by hand', () => {
    const { bins, divergences } = summariseWindow(
      [
        { position: 0, loss: Math.log(4), baselineLoss: Math.log(2), divergence: 0.5, agrees: false },
        { position: 1, loss: Math.log(2), baselineLoss: Math.log(4), divergence: 0, agrees: true },
        { position: 3, loss: undefined, baselineLoss: undefined, divergence: 1.5, agrees: true },
      ],
      [0, 2, 4],
    );
    expect(bins.map(({ from, to }) => [from, to])).toEqual([
      [0, 2],
      [2, 4],
    ]);
    expect(bins[0].loss.sum).toBeCloseTo(Math.log(8), 12);
    expect(bins[0].lossChange).toEqual({ count: 2, sum: 0, squares: 2 * Math.log(2) ** 2, infinite: 0, invalid: 0 });
    expect(bins[0].probabilityChange.squares).toBeCloseTo(2 / 16, 12);
    expect(bins[0].squaredProbabilityChange.sum).toBeCloseTo(2 / 16, 12);
    expect(bins[0].squaredProbabilityChange.squares).toBeCloseTo(2 / 256, 12);
    expect(bins[0].agreement).toMatchObject({ count: 2, sum: 1 });
    expect(bins[1].loss).toEqual(noMoments);
    expect(bins[1].divergence).toMatchObject({ count: 1, sum: 1.5, squares: 2.25 });
    expect(divergences).toMatchObject({ zeros: 1, maximum: 1.5 });
  });

  it('merges its pieces in any way', () => {
    fc.assert(
      fc.property(pieces, pieces, pieces, (...parts) => {
        const [a, b, c] = parts.map((part) => summariseWindow(part, edges));
        const whole = summariseWindow(parts.flat(), edges);
        expectAlike(mergeWindows(a, mergeWindows(b, c)), whole);
        expectAlike(mergeWindows(mergeWindows(a, b), c), whole);
        expectAlike(mergeWindows(c, a, b), whole);
        expect(mergeWindows(a, summariseWindow([], edges))).toEqual(a);
      }),
    );
  });

  it('survives JSON, with what is not finite', () => {
    fc.assert(
      fc.property(pieces, (part) => {
        const summary = summariseWindow(
          part.map((each, index) => (index % 3 === 0 && each.loss !== undefined ? { ...each, loss: Infinity } : each)),
          edges,
        );
        expect(JSON.parse(JSON.stringify(summary)) as WindowSummary).toEqual(summary);
        expect(JSON.stringify(summary)).not.toContain('null');
      }),
    );
  });

  it('refuses positions outside of the context, half a pair of losses, and other bins', () => {
    const position: ScoredPosition = { position: 4, loss: 1, baselineLoss: 1, divergence: 0, agrees: true };
    expect(() => summariseWindow([position], [0, 4])).toThrow('Position 4 is in none of the bins');
    expect(() => summariseWindow([{ ...position, position: NaN }], [0, 4])).toThrow('none of the bins');
    expect(() => summariseWindow([{ ...position, loss: undefined }], [0, 8])).toThrow('one loss of the two');
    expect(() => mergeWindows(summariseWindow([], [0, 4]), summariseWindow([], [0, 8]))).toThrow('different bins');
  });
});

describe('the histogram of divergences', () => {
  const values = fc.array(fc.oneof(fc.double({ min: 1e-11, max: 1e3, noNaN: true }), fc.constant(0)), { minLength: 1, maxLength: 200 });

  it('gives every quantile within its error, however it was merged', () => {
    fc.assert(
      fc.property(values, fc.nat(200), fc.constantFrom(0.001, 0.5, 0.9, 0.95, 0.99, 0.999, 1), (all, cut, share) => {
        const found = quantileOf(mergeHistograms(histogramOf(all.slice(0, cut)), histogramOf(all.slice(cut))), share);
        const exact = all.toSorted((one, other) => one - other)[Math.max(1, Math.ceil(share * all.length - 1e-9)) - 1];
        // Plus the rounding of a logarithm at a bucket's edge.
        expect(Math.abs(found - exact)).toBeLessThanOrEqual(quantileError * 1.000_001 * exact);
        expect(found).toBeLessThanOrEqual(Math.max(...all));
      }),
    );
  });

  it('knows the quantiles of 1 to 1000', () => {
    const histogram = histogramOf(Array.from({ length: 1000 }, (_, index) => index + 1));
    for (const share of [0.5, 0.9, 0.95, 0.99, 0.999]) {
      expect(quantileOf(histogram, share) / (1000 * share)).toBeCloseTo(1, 1.7);
    }
    expect(maximumOf(histogram)).toBe(1000);
  });

  it('reads zeros, and what rounding makes of them, as 0', () => {
    const histogram = histogramOf([0, -1e-8, 1e-13, 2]);
    expect(quantileOf(histogram, 0.75)).toBe(0);
    expect(maximumOf(histogram)).toBe(2);
  });

  it('lets NaN and infinity surface', () => {
    expect(quantileOf(histogramOf([1, NaN]), 0.5)).toBeNaN();
    expect(maximumOf(histogramOf([1, NaN, Infinity]))).toBeNaN();
    expect(maximumOf(histogramOf([1, Infinity]))).toBe(Infinity);
    expect(quantileOf(histogramOf([1, Infinity]), 0.9)).toBe(Infinity);
    expect(quantileOf(histogramOf([1, Infinity]), 0.5)).toBeCloseTo(1, 1);
    expect(quantileOf(histogramOf([]), 0.5)).toBeNaN();
    expect(maximumOf(histogramOf([]))).toBeNaN();
  });
});

describe('an estimate', () => {
  // As in any table, such as that of Abramowitz and Stegun, 26.10.
  it.each([
    [1, 12.7062],
    [2, 4.3027],
    [3, 3.1824],
    [4, 2.7764],
    [5, 2.5706],
    [10, 2.2281],
    [30, 2.0423],
    [100, 1.984],
    [Infinity, 1.96],
  ])("has Student's t for %d degrees of freedom", (degrees, expected) => {
    expect(Math.abs(studentQuantile(degrees) - expected)).toBeLessThan(1e-3);
  });

  it('of windows of one position is that of independent positions', () => {
    const values = [1, 2, 4, 9, 3];
    const one = estimateMean([momentsOf(values)]);
    const many = estimateMean(values.map((value) => momentsOf([value])));
    // The sample's variance is 9.7.
    expect(one.error).toBeCloseTo(Math.sqrt(9.7 / 5), 12);
    expect(many.value).toBe(3.8);
    for (const field of ['error', 'low', 'high'] as const) {
      expect(many[field]).toBeCloseTo(one[field], 12);
    }
  });

  it('of windows is what was worked out by hand', () => {
    // Means 1 and 3 over 2 and 4 positions: mean 14/6, residuals 2 - 14/3 = -8/3 and 8/3, error^2 = 2 * 2 * (64/9) / 36.
    const { value, error } = estimateMean([momentsOf([1, 1]), momentsOf([3, 3, 3, 3]), noMoments]);
    expect(value).toBeCloseTo(14 / 6, 12);
    expect(error).toBeCloseTo((2 * (8 / 3)) / 6, 12);
  });

  it('of equal windows does not believe in copies', () => {
    const window = momentsOf([0, 2, 5]);
    const other = momentsOf([1, 1, 3]);
    const few = estimateMean([window, other]);
    const copied = estimateMean([momentsOf([0, 2, 5, 0, 2, 5]), momentsOf([1, 1, 3, 1, 1, 3])]);
    expect(copied.error).toBeCloseTo(few.error, 12);
  });

  it('of one position knows no error, and of NaN and infinity neither', () => {
    expect(estimateMean([momentsOf([2])])).toEqual({ value: 2, error: NaN, low: NaN, high: NaN });
    expect(estimateMean([])).toEqual({ value: NaN, error: NaN, low: NaN, high: NaN });
    expect(estimateMean([momentsOf([1, NaN]), momentsOf([1, Infinity])]).value).toBeNaN();
    expect(estimateMean([momentsOf([1]), momentsOf([1, Infinity])]).value).toBe(Infinity);
    expect(meanOf(momentsOf([-Infinity, 1]))).toBeNaN();
  });

  it("has Wilson's interval for a share", () => {
    const shares = (agreeing: number, count: number): Moments =>
      momentsOf(Array.from({ length: count }, (_, index) => Number(index < agreeing)));
    // The examples of Newcombe, Statistics in Medicine 17, 1998, table I, method 3: 81/263, 15/148, 0/20 and 1/29.
    for (const [agreeing, count, low, high] of [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ]) {
      const found = estimateShare([shares(agreeing, count)]);
      expect(found.low).toBeCloseTo(low, 4);
      expect(found.high).toBeCloseTo(high, 4);
    }
    // Windows that are all alike count their positions; windows that differ count for less.
    expect(estimateShare([shares(20, 20), shares(20, 20)]).high).toBe(1);
    const even = estimateShare([shares(9, 10), shares(9, 10), shares(9, 10), shares(9, 10)]);
    const uneven = estimateShare([shares(10, 10), shares(10, 10), shares(10, 10), shares(6, 10)]);
    expect(uneven.value).toBe(even.value);
    expect(uneven.high - uneven.low).toBeGreaterThan(even.high - even.low);
    expect(estimateShare([shares(1, 1)])).toMatchObject({ value: 1, error: NaN, high: 1 });
    expect(estimateShare([])).toEqual({ value: NaN, error: NaN, low: NaN, high: NaN });
  });
});
