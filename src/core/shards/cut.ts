import { InputError } from '../errors';
import { lastAtMost } from '../math/search';
import type { Range, Reach } from '../scenario/scenario';

/** A part of a prompt's rows, and all tokens that they depend on through the layers of a model: it can be run without the rest. */
export interface PromptShard {
  /** The rows of the last layer that are this shard's: every row is one shard's. */
  readonly rows: Range;
  /** Tokens that it reads, one or two ascending ranges that do not touch: sinks, and its rows with their halo. */
  readonly reads: readonly Range[];
}

/** Where in a prompt the rows of a run lie. */
export interface Positions {
  /** Ascending, apart from each other: the run's rows are the tokens of the first, then those of the next. */
  readonly ranges: readonly Range[];
  /** N of the whole prompt, on which a rotary embedding may depend. */
  readonly tokens: number;
  /** The tokens at which the model's positions begin again with 0, ascending, 0 first; absent where that is the prompt's first alone. */
  readonly restarts?: readonly number[];
}

/** The positions of a prompt that is run whole. */
export function wholePrompt(tokens: number, restarts?: readonly number[]): Positions {
  return { ranges: [{ from: 0, to: tokens }], tokens, ...(restarts && { restarts }) };
}

/** The position that the model gives a run's row: its place in the prompt, or in what positions began again for. */
export function modelPosition(positions: Pick<Positions, 'ranges' | 'restarts'>, row: number): number {
  const place = positionOf(positions, row);
  const { restarts } = positions;
  return restarts === undefined ? place : place - restarts[lastAtMost(restarts, restarts.length, place)];
}

/** The positions that the model gives consecutive tokens of a prompt `[from, to)`: ranges, one after the other. */
export function modelPositions({ restarts = [0] }: Pick<Positions, 'restarts'>, { from, to }: Range): Range[] {
  const found: Range[] = [];
  for (let at = from, next = lastAtMost(restarts, restarts.length, from); at < to; next += 1) {
    const end = Math.min(to, restarts.at(next + 1) ?? to);
    found.push({ from: at - restarts[next], to: end - restarts[next] });
    at = end;
  }
  return found;
}

/**
 * Cuts a prompt of N tokens into shards of almost equal numbers of rows.
 *
 * @param reaches how far each layer sees, the first layer first
 * @throws InputError for more shards than tokens, and where the halo is as long as the prompt
 */
export function cutPrompt(tokens: number, parts: number, reaches: readonly Reach[]): PromptShard[] {
  if (parts < 1 || parts > tokens) {
    throw new InputError(`${parts} shards of a prompt of ${tokens} tokens are not possible; use from 1 to ${tokens}.`);
  }
  const halo = haloOf(reaches);
  if (parts > 1 && halo >= tokens) {
    const most = Math.floor((tokens - 1) / reaches.length);
    const smaller = most === 0 ? '' : `, or use windows over which a token sees ${most} others at most`;
    throw new InputError(
      `Over ${reaches.length} layers a token depends on ${halo} tokens around it, and the prompt has ${tokens}: shards would read all of it; run it whole${smaller}.`,
    );
  }
  return Array.from({ length: parts }, (_, part) => {
    const rows = { from: Math.floor((part * tokens) / parts), to: Math.floor(((part + 1) * tokens) / parts) };
    return { rows, reads: readsOf(rows, reaches, tokens) };
  });
}

/** Tokens on both sides of its rows that a shard reads at most, sinks not counted: the sum over the layers of how far each sees. */
export function haloOf(reaches: readonly Reach[]): number {
  return reaches.reduce((sum, { before, after }) => sum + before + after, 0);
}

/**
 * The tokens that rows of the last layer depend on.
 *
 * Run as one sequence under the same masks, with the tokens at their own positions, they give the same rows: what a mask
 * shows at the edge of a range, and would not in the whole prompt, only rows see on which the shard's own do not depend.
 */
export function readsOf(rows: Range, reaches: readonly Reach[], tokens: number): Range[] {
  let { from, to } = rows;
  let prefix = 0;
  // From the last layer down: what it is to give for the next one says what it has to read.
  for (const { before, after, sinks } of [...reaches].reverse()) {
    // A query sees the sinks that are not after it.
    prefix = Math.max(prefix > 0 ? Math.min(tokens, prefix + after) : 0, Math.min(sinks, to));
    from = Math.max(0, from - before);
    to = Math.min(tokens, to + after);
  }
  if (from <= prefix) {
    return [{ from: 0, to }];
  }
  return prefix === 0
    ? [{ from, to }]
    : [
        { from: 0, to: prefix },
        { from, to },
      ];
}

/** The numbers of ranges, one after the other. */
export function numbersIn(ranges: readonly Range[]): number[] {
  return ranges.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, at) => from + at));
}

/** The number of tokens in ranges. */
export function lengthOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** The position of a run's row. */
export function positionOf({ ranges }: Pick<Positions, 'ranges'>, row: number): number {
  let first = 0;
  for (const { from, to } of ranges) {
    if (row < first + to - from) {
      return from + row - first;
    }
    first += to - from;
  }
  throw new RangeError(`Row ${row} is not in a run of ${first}.`);
}

/** The row of a run that has a position of the prompt, if one has. */
export function placeOf(ranges: readonly Range[], position: number): number | undefined {
  let first = 0;
  for (const { from, to } of ranges) {
    if (position >= from && position < to) {
      return first + position - from;
    }
    first += to - from;
  }
  return undefined;
}

/** The same of ranges, none empty, both ascending: where each lies among others, one after the other. Undefined where they lack a part of one. */
export function placesOf(ranges: readonly Range[], wanted: readonly Range[]): Range[] | undefined {
  const found: Range[] = [];
  let [at, first] = [0, 0];
  for (const { from, to } of wanted) {
    for (; at < ranges.length && ranges[at].to <= from; at += 1) {
      first += ranges[at].to - ranges[at].from;
    }
    const start = from - ranges[at]?.from;
    if (!(start >= 0 && to <= ranges[at].to)) {
      return undefined;
    }
    found.push({ from: first + start, to: first + start + to - from });
  }
  return found;
}

/** The rows of a run, where its own rows lie in it. */
export function ownRows({ rows, reads }: PromptShard): Range {
  // The last range holds them.
  const end = lengthOf(reads) - (reads[reads.length - 1].to - rows.to);
  return { from: end - (rows.to - rows.from), to: end };
}

/** The token ids of ranges, one after the other. */
export function tokensIn(tokens: Int32Array, ranges: readonly Range[]): Int32Array {
  const taken = new Int32Array(lengthOf(ranges));
  let row = 0;
  for (const { from, to } of ranges) {
    taken.set(tokens.subarray(from, to), row);
    row += to - from;
  }
  return taken;
}

/** Ranges as ascending ones that do not touch. Empty ones are left out. */
export function unionOf(ranges: readonly Range[]): Range[] {
  const union: { from: number; to: number }[] = [];
  for (const { from, to } of ranges.filter((range) => range.from < range.to).sort((one, other) => one.from - other.from)) {
    const last = union.at(-1);
    if (last !== undefined && from <= last.to) {
      last.to = Math.max(last.to, to);
    } else {
      union.push({ from, to });
    }
  }
  return union;
}
