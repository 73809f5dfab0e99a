import { formatCompact } from '../format';

/** One mark on an axis. */
interface Tick {
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

/** An upright rectangle, in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What labels keep clear of. */
interface Surface {
  /** Where labels belong. */
  readonly plot: Box;
  /** Lines that a label had better not cover. */
  readonly lines: readonly Box[];
  /** Markers and labels that it must not, if there is any other place. */
  readonly taken: readonly Box[];
}

/** The place beside a marker at (x, y) where a label of this size covers least of what is there already. */
export function placeLabel(x: number, y: number, size: Pick<Box, 'width' | 'height'>, { plot, lines, taken }: Surface): Box {
  const covered = (box: Box, boxes: readonly Box[]): number => boxes.reduce((sum, other) => sum + overlap(box, other), 0);
  return (
    candidates(x, y, size)
      // A line under a label is better than a label far away; another label or a marker is not.
      .map((box, index) => ({ box, cost: index + 0.4 * covered(box, lines) + 10 * covered(box, taken) + 1000 * outside(box, plot) }))
      .reduce((best, each) => (each.cost < best.cost ? each : best)).box
  );
}

/** A level or upright line with a little room on both sides. */
export function around([x, y]: readonly [number, number], [toX, toY]: readonly [number, number]): Box {
  return { x: Math.min(x, toX) - 2, y: Math.min(y, toY) - 2, width: Math.abs(toX - x) + 4, height: Math.abs(toY - y) + 4 };
}

/** Places of a label around a marker, the best first: right, left, above, below and the corners; then farther away. */
function candidates(x: number, y: number, { width: wide, height }: Pick<Box, 'width' | 'height'>): Box[] {
  const sides = [
    [1, 0],
    [1, -1],
    [1, 1],
    [-1, 0],
    [-1, -1],
    [-1, 1],
    [0, -1],
    [0, 1],
  ];
  return [0, 10, 22, 36, 52].flatMap((away) =>
    sides.map(([right, down]) => ({
      x: x + right * (9 + away * (down === 0 ? 1 : 0.5)) - (wide * (1 - right)) / 2,
      y: y + down * ((right === 0 ? 15 : 11) + away) - height / 2,
      width: wide,
      height,
    })),
  );
}

function overlap(one: Box, other: Box): number {
  const shared = (start: number, end: number, from: number, to: number): number => Math.max(0, Math.min(end, to) - Math.max(start, from));
  return (
    shared(one.x, one.x + one.width, other.x, other.x + other.width) * shared(one.y, one.y + one.height, other.y, other.y + other.height)
  );
}

/** The part of a box that is not in the plot, in square pixels. */
function outside(box: Box, plot: Box): number {
  return box.width * box.height - overlap(box, plot);
}
