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
});
