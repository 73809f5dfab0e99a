import { blocksShown, pixelsOf, type Axis } from '../map/geometry';

/** 0-based shown blocks that carry a label: the first of all, and every 1, 2 or 5 times a power of ten with `room` pixels between. */
export function labelledBlocks(axis: Axis, room: number): readonly number[] {
  const atLeast = (room * axis.span) / axis.side;
  const power = 10 ** Math.max(0, Math.floor(Math.log10(atLeast)));
  const step = [1, 2, 5, 10].map((times) => times * power).find((candidate) => candidate >= atLeast) ?? 10 * power;
  const { from, to } = blocksShown(axis);
  const labelled = from === 0 ? [0] : [];
  // Steps of 2 count 1, 3, 5; larger ones hit round numbers: 1, 10, 20.
  const offset = step <= 2 ? 0 : -1;
  for (let block = step * Math.max(1, Math.ceil((from - offset) / step)) + offset; block < to; block += step) {
    if (block >= atLeast) {
      labelled.push(block);
    }
  }
  return labelled;
}

/** The middle of the part of a block that is shown. */
export function middleOf(axis: Axis, block: number): number {
  const { from, to } = pixelsOf(axis, { from: block, to: block + 1 });
  return (Math.max(0, from) + Math.min(axis.side, to)) / 2;
}

/** A label's middle, kept `half` the label's length from both ends of a side. */
export function within(place: number, half: number, side: number): number {
  return Math.min(Math.max(place, half), Math.max(half, side - half));
}
