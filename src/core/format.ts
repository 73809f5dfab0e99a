import { t } from './l10n';

/**
 * The only formatter of numbers, so that lens, hint, panel and command line never disagree. Independent of the locale, so
 * that tests and scripts get the same text.
 */

/**
 * A number with so many decimals; what rounds to 0 has no sign. Nothing else writes decimals (lint says so), so that `-0.00` is
 * printed nowhere.
 */
export function formatFixed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return /^-[0.]+$/.test(text) ? text.slice(1) : text;
}

/** A value that was measured, with what is known of its error; NaN and null stand for what is not. */
export interface Measured {
  readonly value: number;
  /** Standard error. */
  readonly error: number | null;
  /** The 95% interval. */
  readonly low?: number | null;
  readonly high?: number | null;
}

/**
 * A measured value with the digits that its error supports, up to the error's second digit: `12.35 ± 0.12`. An error that
 * `digits` decimals do not show adds none. From 10^6 on, and where the error is at least half of the value, with its interval:
 * `2e+15 (5e+13 to 8e+16)`.
 */
export function formatMeasured({ value, error, low, high }: Measured, digits: number): string {
  const known = typeof error === 'number' && Number.isFinite(error);
  const isWide = Math.abs(value) >= 1e6 || (known && error > 0 && error >= Math.abs(value) / 2);
  if (isWide && isKnown(low) && isKnown(high)) {
    const uncertain = (high - low) / 2 / Math.abs(value);
    const significant = Math.min(4, Math.max(1, uncertain > 0 ? 1 + Math.ceil(-Math.log10(uncertain)) : 4));
    const [middle, from, to] = [value, low, high].map((each) => (each === Infinity ? '∞' : formatSignificant(each, significant)));
    return t('{0} ({1} to {2})', middle, from, to);
  }
  if (!known) {
    return Math.abs(value) >= 1e6 ? formatFigure(value) : formatFixed(value, digits);
  }
  if (Math.abs(value) >= 1e6) {
    return `${formatSignificant(value, 2)} ± ${formatSignificant(error, 2)}`;
  }
  const places = error >= 0.5 * 10 ** -digits ? 1 - Math.floor(Math.log10(error)) : digits;
  const rounded = (number: number): string =>
    places >= 0 ? formatFixed(number, places) : formatFixed(Math.round(number * 10 ** places) * 10 ** -places, 0);
  return `${rounded(value)} ± ${rounded(error)}`;
}

/** `1234567` as `1,234,567`. */
export function formatCount(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A count of things: `1 block`, `1,500 calls`. */
export function formatNumberOf(value: number, thing: string): string {
  return t(value === 1 ? `{0} ${thing}` : `{0} ${thing}s`, formatCount(value));
}

/** `1234567` as `1.23 M`; below 10,000 in full. */
export function formatCompact(value: number): string {
  return value < 10_000 ? formatCount(value) : scaled(value, 1000, ['', ' k', ' M', ' G', ' T', ' P', ' E']);
}

/** A power of two as `64`, `4 Ki` or `1 Mi`, for axes. */
export function formatPowerOfTwo(value: number): string {
  return value < 1024 ? String(value) : value < 1024 ** 2 ? `${value / 1024} Ki` : `${value / 1024 ** 2} Mi`;
}

/** Floating-point operations, such as `12.3 GFLOP`. */
export function formatFlops(value: number): string {
  return scaled(value, 1000, [' FLOP', ' kFLOP', ' MFLOP', ' GFLOP', ' TFLOP', ' PFLOP', ' EFLOP']);
}

/** Bytes in binary units, such as `1.50 GiB`. */
export function formatBytes(value: number): string {
  return scaled(value, 1024, [' B', ' KiB', ' MiB', ' GiB', ' TiB', ' PiB']);
}

/** Milliseconds as `12 µs`, `850 ms`, `12.3 s`, `4 min 05 s` or `2 h 05 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds > 0 && milliseconds < 0.0995) {
    return microseconds(milliseconds);
  }
  if (milliseconds < 999.5) {
    return milliseconds < 9.95 ? `${formatFixed(milliseconds, 1)} ms` : `${Math.round(milliseconds)} ms`;
  }
  if (milliseconds < 99_950) {
    return `${threeDigits(milliseconds / 1000)} s`;
  }
  const seconds = Math.round(milliseconds / 1000);
  if (seconds >= 7200) {
    const minutes = Math.round(seconds / 60);
    return `${formatCount(Math.floor(minutes / 60))} h ${String(minutes % 60).padStart(2, '0')} min`;
  }
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** An estimated time with its bounds, two digits each: `2.6 s (2.2 to 3.4)`, `950 ms (800 ms to 1.2 s)`; without bounds, `2.6 s`. */
export function formatEstimate(milliseconds: number, bounds?: { readonly lowMs: number; readonly highMs: number }): string {
  const middle = roughDuration(milliseconds);
  if (bounds === undefined) {
    return middle;
  }
  const [low, high] = [roughDuration(bounds.lowMs), roughDuration(bounds.highMs)];
  const unit = unitOf(middle);
  const shared = unit !== undefined && unitOf(low) === unit && unitOf(high) === unit;
  return shared ? t('{0} ({1} to {2})', middle, low.split(' ')[0], high.split(' ')[0]) : t('{0} ({1} to {2})', middle, low, high);
}

/** Milliseconds with two digits: `0.4 ms`, `85 ms`, `2.6 s`, `47 s`, and `4 min 05 s` like `formatDuration`. */
function roughDuration(milliseconds: number): string {
  const rounded = milliseconds <= 0 ? 0 : Number(milliseconds.toPrecision(2));
  if (rounded > 0 && rounded < 0.0995) {
    return microseconds(rounded);
  }
  if (rounded < 1000) {
    return rounded < 9.95 ? `${formatFixed(rounded, 1)} ms` : `${Math.round(rounded)} ms`;
  }
  return rounded < 100_000 ? `${rounded < 9950 ? formatFixed(rounded / 1000, 1) : Math.round(rounded / 1000)} s` : formatDuration(rounded);
}

/** Times below a tenth of a millisecond, of which `0.0 ms` would say nothing: `12 µs`, `0.4 µs`. */
function microseconds(milliseconds: number): string {
  const whole = milliseconds * 1000;
  return whole < 0.05 ? '<0.1 µs' : `${whole < 9.95 ? formatFixed(whole, 1) : Math.round(whole)} µs`;
}

/** The unit of a duration that has a single one. */
function unitOf(duration: string): string | undefined {
  const parts = duration.split(' ');
  return parts.length === 2 ? parts[1] : undefined;
}

/** A fraction of 1 as `12.3%`; never `0%` unless it is 0. */
export function formatShare(share: number): string {
  const percent = 100 * share;
  return percent > 0 && percent < 0.05 ? '<0.1%' : `${percent >= 9.95 ? Math.round(percent) : Number(formatFixed(percent, 1))}%`;
}

/** How far a figure is off, as a fraction of what it should be: `+4.2%`, `-23%`, `0%`. */
export function formatDeviation(share: number): string {
  return `${share > 0 ? '+' : share < 0 ? '-' : ''}${formatShare(Math.abs(share))}`;
}

/** A fraction of 1 as a whole percentage, such as `242%`; `<1%` where that would be 0. */
export function formatPercent(share: number): string {
  return share > 0 && share < 0.005 ? '<1%' : `${formatCount(100 * share)}%`;
}

/** An error such as `3.1e-7`; 0 stays `0`. */
export function formatError(error: number): string {
  return error === 0 ? '0' : error.toExponential(1);
}

/** e^`logValue` as a count, even if it is too large for a number: `1,234` below 10^15, `10^n` from there on. */
export function formatLogCount(logValue: number): string {
  return formatLog(logValue, formatCount);
}

/** e^`logValue` as a plain figure, such as `1.0513`, and `10^n` from 10^15 on. */
export function formatLogFigure(logValue: number): string {
  return formatLog(logValue, formatFigure);
}

/** A plain figure with four significant digits, such as a perplexity. */
export function formatFigure(value: number): string {
  return formatSignificant(value, isPlain(value) ? 5 : 4);
}

/** The last part of a path, with `/` or `\`. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).at(-1) || path;
}

/** An ISO date as local `2026-02-01 14:05`. */
export function localTime(date: string): string {
  const time = new Date(date);
  if (Number.isNaN(time.getTime())) {
    return date;
  }
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16).replace('T', ' ');
}

/** Like `localTime`; the time alone if it is the same day as `now`. */
export function recentTime(date: string, now: Date): string {
  const [day, time] = localTime(date).split(' ');
  return day === localTime(now.toISOString()).split(' ')[0] ? time : localTime(date);
}

/** 10^15: beyond it the last digits of a float64's exponential are noise. */
const logCountLimit = Math.log(1e15);

/** Whether a number is written without an exponent. */
function isPlain(value: number): boolean {
  return value === 0 || (Math.abs(value) < 1e6 && Math.abs(value) >= 1e-3);
}

/** A number with so many significant digits, with an exponent where it is large or small. */
function formatSignificant(value: number, digits: number): string {
  return isPlain(value) ? Number(value.toPrecision(digits)).toString() : value.toExponential(digits - 1);
}

function isKnown(value: number | null | undefined): value is number {
  return typeof value === 'number' && !Number.isNaN(value);
}

function formatLog(logValue: number, format: (value: number) => string): string {
  if (logValue < logCountLimit) {
    return format(Math.exp(logValue));
  }
  return logValue === Infinity ? '∞' : `10^${formatCount(logValue / Math.LN10)}`;
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let unit = 0;
  let rest = value;
  while (unit + 1 < units.length && rest >= base * 0.9995) {
    rest /= base;
    unit += 1;
  }
  return (unit === 0 ? formatCount(rest) : threeDigits(rest)) + units[unit];
}

function threeDigits(value: number): string {
  return formatFixed(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

/** Ascending 0-based numbers as 1-based ranges, such as `1–4, 7`. */
export function formatRanges(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last?.[1] === number - 1) {
      last[1] = number;
    } else {
      ranges.push([number, number]);
    }
  }
  return ranges.map(([from, to]) => (from === to ? formatCount(from + 1) : `${formatCount(from + 1)}–${formatCount(to + 1)}`)).join(', ');
}
