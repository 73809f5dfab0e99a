/** An upright rectangle, in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What labels keep clear of. */
export interface Surface {
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
