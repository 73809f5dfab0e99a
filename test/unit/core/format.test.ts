import { describe, expect, it } from 'vitest';
import * as format from '../../../src/core/format';

describe('numbers', () => {
  it.each([
    [(n: number) => format.formatNumberOf(n, 'block'), 1, '1 block'],
    [(n: number) => format.formatNumberOf(n, 'block'), 1500, '1,500 blocks'],
    [format.formatCount, 1234567, '1,234,567'],
    [format.formatCompact, 9999, '9,999'],
    [format.formatCompact, 1234567, '1.23 M'],
    [format.formatPowerOfTwo, 512, '512'],
    [format.formatPowerOfTwo, 65_536, '64 Ki'],
    [format.formatPowerOfTwo, 1_048_576, '1 Mi'],
    [format.formatFlops, 2.5e9, '2.50 GFLOP'],
    [format.formatBytes, 512, '512 B'],
    [format.formatBytes, 1.5 * 1024 ** 3, '1.50 GiB'],
    [format.formatBytes, 1024 ** 2 - 1, '1.00 MiB'],
    [format.formatDuration, 3.21, '3.2 ms'],
    [format.formatDuration, 850, '850 ms'],
    [format.formatDuration, 999.7, '1.00 s'],
    [format.formatDuration, 12_340, '12.3 s'],
    [format.formatDuration, 245_000, '4 min 05 s'],
    [format.formatDuration, 7_499_000, '2 h 05 min'],
    [format.formatDuration, 1e10, '2,777 h 47 min'],
    [format.formatShare, 0, '0%'],
    [format.formatShare, 0.0001, '<0.1%'],
    [format.formatShare, 0.123, '12%'],
    [format.formatShare, 0.0123, '1.2%'],
    [format.formatDeviation, 0, '0%'],
    [format.formatDeviation, 0.643, '+64%'],
    [format.formatDeviation, -0.027, '-2.7%'],
    [format.formatError, 0, '0'],
    [format.formatError, 3.14e-7, '3.1e-7'],
    [format.formatFigure, 23.413431, '23.413'],
    [format.formatFigure, 0.000012, '1.200e-5'],
    [format.formatLogCount, 0, '1'],
    [format.formatLogCount, Math.log(1234), '1,234'],
    [format.formatLogCount, Math.log(1e12), '1,000,000,000,000'],
    [format.formatLogCount, Math.log(1e15), '10^15'],
    [format.formatLogCount, Math.log(3e20), '10^20'],
    [format.formatLogCount, 1e6, '10^434,294'],
    [format.formatLogCount, Infinity, '∞'],
    [format.formatLogFigure, Math.log(1.05), '1.05'],
    [format.formatLogFigure, 0, '1'],
    [format.formatLogFigure, Math.log(2.5e20), '10^20'],
  ])('%o of %d is %s', (formatter, value, text) => {
    expect(formatter(value)).toBe(text);
  });

  it.each([
    [{ value: 12.34567, error: 0.0512 }, 4, '12.346 ± 0.051'],
    [{ value: 12.34567, error: 0 }, 4, '12.3457 ± 0.0000'],
    [{ value: 23_456.789, error: 1_234.5 }, 4, '23500 ± 1200'],
    [{ value: -1e-9, error: 1e-9 }, 6, '0.000000 ± 0.000000'],
    [{ value: -1e-9, error: NaN }, 6, '0.000000'],
    // Word perplexities, whose logarithms have the error.
    [{ value: 2.68e15, error: 4e16, low: 4.6e7, high: 1.5e23 }, 4, '3e+15 (5e+7 to 2e+23)'],
    [{ value: 2.6817e15, error: 4e13, low: 2.6e15, high: 2.76e15 }, 4, '2.68e+15 (2.60e+15 to 2.76e+15)'],
    [{ value: 2.6817e15, error: 4e18, low: 1.2, high: Infinity }, 4, '3e+15 (1 to ∞)'],
    [{ value: 3_000, error: 40_000, low: 11, high: 800_000 }, 4, '3000 (10 to 800000)'],
    [{ value: 0.41, error: 0.61, low: 0.0037, high: 45.7 }, 4, '0.4 (0.004 to 50)'],
    [{ value: 0.0188231, error: 0.0000123 }, 5, '0.018823 ± 0.000012'],
    [{ value: 2.6817e15, error: 4e13 }, 4, '2.7e+15 ± 4.0e+13'],
    [{ value: 2.6817e15, error: NaN }, 4, '2.682e+15'],
  ])('%j is printed with the digits that its error supports', (measured, digits, text) => {
    expect(format.formatMeasured(measured, digits)).toBe(text);
  });
});
