import { t } from './l10n';

/**
 * The only formatter of numbers, so that lens, hint, panel and command line never disagree. Independent of the locale, so
 * that tests and scripts get the same text.
 */

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

/** Milliseconds as `850 ms`, `12.3 s`, `4 min 05 s` or `2 h 05 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 999.5) {
    return milliseconds < 9.95 ? `${milliseconds.toFixed(1)} ms` : `${Math.round(milliseconds)} ms`;
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

/** A fraction of 1 as `12.3%`; never `0%` unless it is 0. */
export function formatShare(share: number): string {
  const percent = 100 * share;
  return percent > 0 && percent < 0.05 ? '<0.1%' : `${percent >= 9.95 ? Math.round(percent) : Number(percent.toFixed(1))}%`;
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
  return value !== 0 && (Math.abs(value) >= 1e6 || Math.abs(value) < 1e-3)
    ? value.toExponential(3)
    : Number(value.toPrecision(5)).toString();
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
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}
