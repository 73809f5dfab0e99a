import type { Range } from '../mask';

/** What a truth may depend on alone: the query, the key, or their distance, query - key. */
export type Axis = 'query' | 'key' | 'distance';

/**
 * A truth that depends on one number alone, for every value of that number: where `k % 64 == 0` holds, by k.
 *
 * Positions count the values from 0: queries and keys as they are, distances from -(N - 1). Sums over positions make the
 * visible pairs of a rectangle a matter of a few look-ups, however often the truth changes inside.
 */
export class Line {
  /** How many of the positions before each are true. */
  private readonly before: Int32Array;
  /** `before`, summed in turn: only distances need it, and not all of them. */
  private beforeSums: Float64Array | undefined;
  /** For each position, where the run of equal values that it lies in ends. */
  private ends: Int32Array | undefined;

  constructor(
    readonly axis: Axis,
    private readonly tokens: number,
    valueAt: (position: number) => boolean,
  ) {
    const { length } = this;
    this.before = new Int32Array(length + 1);
    for (let position = 0; position < length; position += 1) {
      this.before[position + 1] = this.before[position] + (valueAt(position) ? 1 : 0);
    }
  }

  /** Number of positions. */
  get length(): number {
    return lineLength(this.axis, this.tokens);
  }

  at(position: number): boolean {
    return this.before[position + 1] > this.before[position];
  }

  /** The position of a pair. */
  positionOf(query: number, key: number): number {
    return this.axis === 'query' ? query : this.axis === 'key' ? key : query - key + this.tokens - 1;
  }

  /** Whether all positions are true, none, or some. */
  over(from: number, to: number): 'all' | 'none' | 'some' {
    const seen = this.before[to] - this.before[from];
    return seen === 0 ? 'none' : seen === to - from ? 'all' : 'some';
  }

  /** Whether all pairs of a rectangle are visible, none, or some: exact, as a rectangle meets every distance between two. */
  sight(queries: Range, keys: Range): 'all' | 'none' | 'some' {
    switch (this.axis) {
      case 'query':
        return this.over(queries.from, queries.to);
      case 'key':
        return this.over(keys.from, keys.to);
      case 'distance':
        return this.over(queries.from - keys.to + this.tokens, queries.to - keys.from + this.tokens - 1);
    }
  }

  /** Number of visible pairs of a rectangle. */
  pairs(queries: Range, keys: Range): number {
    const { before, tokens } = this;
    const [rows, columns] = [queries.to - queries.from, keys.to - keys.from];
    switch (this.axis) {
      case 'query':
        return columns * (before[queries.to] - before[queries.from]);
      case 'key':
        return rows * (before[keys.to] - before[keys.from]);
      case 'distance': {
        // A query sees the distances from its last key's to its first key's: differences of `before`, summed over queries.
        const sums = (this.beforeSums ??= sumsBefore(before));
        const upTo = (key: number): number => sums[queries.to - key + tokens] - sums[queries.from - key + tokens];
        return upTo(keys.from) - upTo(keys.to);
      }
    }
  }

  /** The end of the run of equal values around a position. */
  runEnd(position: number): number {
    this.ends ??= runEnds(this.before);
    return this.ends[position];
  }
}

/** Positions of a line over N tokens. */
export function lineLength(axis: Axis, tokens: number): number {
  return axis === 'distance' ? 2 * tokens - 1 : tokens;
}

function sumsBefore(before: Int32Array): Float64Array {
  const sums = new Float64Array(before.length + 1);
  before.forEach((value, position) => (sums[position + 1] = sums[position] + value));
  return sums;
}

function runEnds(before: Int32Array): Int32Array {
  const length = before.length - 1;
  const ends = new Int32Array(length);
  for (let position = length - 1; position >= 0; position -= 1) {
    const goesOn = position + 1 < length && before[position + 1] - before[position] === before[position + 2] - before[position + 1];
    ends[position] = goesOn ? ends[position + 1] : position + 1;
  }
  return ends;
}
