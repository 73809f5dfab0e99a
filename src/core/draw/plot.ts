import { formatCompact } from '../format';

/** One mark on an axis. */
interface Tick {
  readonly at: number;
  readonly label: string;
}

/** One axis: the pixel of a value, and the ticks. */
export interface Axis {
  readonly at: (value: number) => number;
  readonly ticks: readonly Tick[];
}

/**
 * A logarithmic axis from pixel `from` to pixel `to`. Ticks are powers of ten; on a short axis, also round values between
 * them.
 */
export function logAxis(values: readonly number[], from: number, to: number, format: (value: number) => string): Axis {
  const logs = (values.length > 0 ? values : [1]).map((value) => Math.log10(value));
  const [least, most] = [Math.min(...logs), Math.max(...logs)];
  // Margin around the outermost points; a single point is centred.
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

/** What labels should avoid. */
interface Surface {
  /** Labels stay inside this box. */
  readonly plot: Box;
  /** Lines that a label should not cover if possible. */
  readonly lines: readonly Box[];
  /** Markers and labels that a label must not cover unless no other place is left. */
  readonly taken: readonly Box[];
}

/** The place beside a marker at (x, y) where a label of this size covers the least. */
export function placeLabel(x: number, y: number, size: Pick<Box, 'width' | 'height'>, { plot, lines, taken }: Surface): Box {
  const covered = (box: Box, boxes: readonly Box[]): number => boxes.reduce((sum, other) => sum + overlap(box, other), 0);
  return (
    candidates(x, y, size)
      // Covering a line is better than a label far away; covering another label or a marker is not.
      .map((box, index) => ({ box, cost: index + 0.4 * covered(box, lines) + 10 * covered(box, taken) + 1000 * outside(box, plot) }))
      .reduce((best, each) => (each.cost < best.cost ? each : best)).box
  );
}

/** A horizontal or vertical line, with a margin on both sides. */
export function around([x, y]: readonly [number, number], [toX, toY]: readonly [number, number]): Box {
  return { x: Math.min(x, toX) - 2, y: Math.min(y, toY) - 2, width: Math.abs(toX - x) + 4, height: Math.abs(toY - y) + 4 };
}

/**
 * Candidate places of a label around a marker, best first: right, left, above, below and the corners; then farther away.
 */
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

/** The part of a box outside the plot, in square pixels. */
function outside(box: Box, plot: Box): number {
  return box.width * box.height - overlap(box, plot);
}
