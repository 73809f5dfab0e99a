import { formatCompact } from '../format';

/** One mark on an axis. */
export interface Tick {
  readonly at: number;
  readonly label: string;
}

/** One axis: where a value lies, in pixels, and where it has ticks. */
export interface Axis {
  readonly at: (value: number) => number;
  readonly ticks: readonly Tick[];
}

/** A logarithmic axis from pixel `from` to pixel `to`. Ticks are powers of ten; within two of them, 2 and 5 times as well. */
export function logAxis(values: readonly number[], from: number, to: number, format: (value: number) => string): Axis {
  const logs = (values.length > 0 ? values : [1]).map((value) => Math.log10(value));
  const [least, most] = [Math.min(...logs), Math.max(...logs)];
  // Room around the outermost points; a single point lies in the middle.
  const room = Math.max(0.08 * (most - least), most > least ? 0.05 : 0.4);
  const [low, high] = [least - room, most + room];
  const at = (value: number): number => from + ((Math.log10(value) - low) / (high - low)) * (to - from);
  const decades = high - low;
  const steps = decades < 0.9 ? [1, 1.5, 2, 3, 4, 5, 6, 8] : decades < 3 ? [1, 2, 5] : [1];
  const stride = Math.ceil(decades / 8);
  const ticks: Tick[] = [];
  for (let power = Math.floor(low); power <= high; power += 1) {
    for (const value of power % stride === 0 ? steps.map((step) => step * 10 ** power) : []) {
      if (Math.log10(value) >= low && Math.log10(value) <= high) {
        ticks.push({ at: at(value), label: format(Number(value.toPrecision(2))) });
      }
    }
  }
  return { at, ticks };
}

/** A linear axis from pixel `from` to pixel `to`, with about five ticks at 1, 2 or 5 times a power of ten. */
export function linearAxis(values: readonly number[], from: number, to: number): Axis {
  const [least, most] = values.length > 0 ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const room = most > least ? 0.07 * (most - least) : 0.5 * Math.abs(most) || 1;
  const [low, high] = [least - room, most + room];
  const at = (value: number): number => from + ((value - low) / (high - low)) * (to - from);
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  const ticks = Array.from({ length: Math.floor(high / step) - first + 1 }, (_, index) => (first + index) * step);
  return { at, ticks: ticks.map((value) => ({ at: at(value), label: plainOrCompact(value) })) };
}

/** A short number: three significant digits. */
export function plain(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

/** A short number, in compact form from 1,000 on. */
export function plainOrCompact(value: number): string {
  return value < 1000 ? plain(value) : formatCompact(value).replace(/\.0+(?=\D|$)/, '');
}
