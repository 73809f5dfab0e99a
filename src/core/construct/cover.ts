import type { Range } from '../scenario/mask';
import { separationVectors, separationWidth } from './separation';

/**
 * Separation columns of one call: column t hides every key marked in it from every query marked in it. A marked query has -B
 * there, a marked key B, everything else 0, so that no score of a visible pair is rounded, and that of a hidden one falls by B^2.
 *
 * In other words, the columns are rectangles (queries times keys) that cover the hidden pairs of the call, and no visible one.
 */
export interface Separation {
  /** w: number of columns. */
  readonly width: number;
  /** `[M, w]`: 1 where the row's query is marked. */
  readonly queries: Uint8Array;
  /** `[M, w]`: 1 where the row's key is marked. */
  readonly keys: Uint8Array;
}

function blankSeparation(rows: number, width: number): Separation {
  return { width, queries: new Uint8Array(rows * width), keys: new Uint8Array(rows * width) };
}

/**
 * Columns that a call has at most: each costs as much as a column of queries and keys. Where a tile or a block would need more, it is
 * cut.
 */
export const mostColumns = 256;

/** Whether a column hides the key of one row from the query of another. */
export function separates({ width, queries, keys }: Separation, query: number, key: number): boolean {
  for (let column = 0; column < width; column += 1) {
    if (queries[query * width + column] === 1 && keys[key * width + column] === 1) {
      return true;
    }
  }
  return false;
}

/** Rows of a call, by their queries and by their keys. */
interface Rectangle {
  readonly queries: readonly number[];
  readonly keys: readonly number[];
}

/** Rows with the same hidden pairs. */
interface RowClass {
  /** What all of them hide: rows, as ascending ranges. */
  readonly partners: readonly Range[];
  readonly rows: number[];
}

/**
 * A cover of the hidden pairs of a call by few rectangles.
 *
 * Keys that are hidden from the same queries form one rectangle with them, and so do queries with the same hidden keys; the fewer of
 * the two are taken: at most one for each row, and for a staircase one a step, which is the least there is (no rectangle holds two of
 * the corners of its steps). Where every kind of query sees one kind of key, as where documents are kept apart, they are the slots of
 * theorem 4.2, and its vectors are fewer still.
 * @param hidden for each row, the rows whose keys its query must not see, as ascending ranges that do not touch
 */
export function coverOf(hidden: readonly (readonly Range[])[]): Separation {
  const byQuery = classesOf(hidden);
  const byKey = classesOf(transposed(hidden));
  const rectangles =
    byKey.length < byQuery.length
      ? byKey.map(({ partners, rows }) => ({ queries: rowsOf(partners), keys: rows }))
      : byQuery.map(({ partners, rows }) => ({ queries: rows, keys: rowsOf(partners) }));
  const apart = slotsApart(hidden.length, byQuery, byKey);
  return apart !== undefined && apart.width < rectangles.length ? apart : separationOf(hidden.length, rectangles);
}

function separationOf(rows: number, rectangles: readonly Rectangle[]): Separation {
  const separation = blankSeparation(rows, rectangles.length);
  rectangles.forEach(({ queries, keys }, column) => {
    queries.forEach((row) => (separation.queries[row * rectangles.length + column] = 1));
    keys.forEach((row) => (separation.keys[row * rectangles.length + column] = 1));
  });
  return separation;
}

/** For each row, the rows whose queries must not see its key. */
function transposed(hidden: readonly (readonly Range[])[]): Range[][] {
  const of: { from: number; to: number }[][] = hidden.map(() => []);
  hidden.forEach((ranges, query) => {
    for (const key of rowsOf(ranges)) {
      const last = of[key].at(-1);
      if (last?.to === query) {
        last.to = query + 1;
      } else {
        of[key].push({ from: query, to: query + 1 });
      }
    }
  });
  return of;
}

function rowsOf(ranges: readonly Range[]): number[] {
  const rows: number[] = [];
  for (const { from, to } of ranges) {
    for (let row = from; row < to; row += 1) {
      rows.push(row);
    }
  }
  return rows;
}

/** A text that equal ranges share, and no others. */
export function rangesName(ranges: readonly Range[]): string {
  return ranges.map(({ from, to }) => `${from}-${to}`).join();
}

/** Rows by what they hide, those that hide nothing left out. */
function classesOf(hidden: readonly (readonly Range[])[]): RowClass[] {
  const found = new Map<string, RowClass>();
  hidden.forEach((partners, row) => {
    if (partners.length > 0) {
      const name = rangesName(partners);
      const known = found.get(name);
      if (known === undefined) {
        found.set(name, { partners, rows: [row] });
      } else {
        known.rows.push(row);
      }
    }
  });
  return [...found.values()];
}

/** Separation by the vectors of theorem 4.2, if every kind of query sees at most one kind of key, and no two the same. */
function slotsApart(rows: number, byQuery: readonly RowClass[], byKey: readonly RowClass[]): Separation | undefined {
  const queriesOf: (readonly RowClass[])[] = [];
  for (const { partners } of byKey) {
    const seeing = byQuery.filter(({ rows: [row] }) => !partners.some(({ from, to }) => row >= from && row < to));
    if (seeing.length > 1) {
      return undefined;
    }
    queriesOf.push(seeing);
  }
  const matched = queriesOf.flat();
  if (new Set(matched).size < matched.length) {
    return undefined;
  }
  const slots = byKey.flatMap((key, index) => queriesOf[index].map((query) => ({ queries: query.rows, keys: key.rows })));
  // Queries that see nothing here are a slot without keys, and keys that nobody sees one without queries.
  const blind = { queries: byQuery.filter((query) => !matched.includes(query)).flatMap((query) => query.rows), keys: [] };
  const unseen = { queries: [], keys: byKey.filter((_, index) => queriesOf[index].length === 0).flatMap((key) => key.rows) };
  const all: Rectangle[] = [...slots, ...[blind, unseen].filter(({ queries, keys }) => queries.length + keys.length > 0)];
  const separation = blankSeparation(rows, separationWidth(all.length));
  const vectors = separationVectors(all.length);
  all.forEach(({ queries, keys }, slot) => {
    queries.forEach((row) => mark(separation.queries, row * separation.width, vectors[slot].query));
    keys.forEach((row) => mark(separation.keys, row * separation.width, vectors[slot].key));
  });
  return separation;
}

/** Marks the columns in which a vector is not 0. */
function mark(marks: Uint8Array, at: number, vector: Float32Array): void {
  vector.forEach((entry, column) => (marks[at + column] = entry === 0 ? 0 : 1));
}

/** Rows of a call that see each other's keys and no others, and which keys of theirs are hidden all the same. */
export interface Slot {
  /** The first row, and the row after the last one. */
  readonly from: number;
  readonly to: number;
  /** Keys at this distance before a query and beyond are hidden from it; absent where none are. */
  readonly reach?: number;
  /** Keys further ahead of a query than this are hidden from it; absent where only the oracle's own mask hides any. */
  readonly ahead?: number;
}

/** Columns that `separateSlots` needs. */
export function slotWidth(slots: readonly Slot[]): number {
  return separationWidth(slots.length) + Math.max(0, ...slots.map(stepsOf));
}

/** Keys of a slot that are hidden from some of its queries: a column each. */
function stepsOf({ from, to, reach, ahead }: Slot): number {
  const length = to - from;
  return ahead !== undefined && ahead < length - 1 ? length : length - Math.min(length, reach ?? length);
}

/**
 * Keeps slots apart by the vectors of theorem 4.2, and hides from each query the keys `reach` rows and more before it, and those too far
 * ahead: staircases, whose columns all slots share, since they hide from each other anyway. Rows outside all slots stay visible to every
 * query.
 *
 */
export function separateSlots(rows: number, slots: readonly Slot[]): Separation {
  const width = slotWidth(slots);
  const separation = blankSeparation(rows, width);
  const vectors = separationVectors(slots.length);
  slots.forEach((own, slot) => {
    const { from, to, reach = to - from, ahead = to - from } = own;
    const { query, key } = vectors[slot];
    const steps = stepsOf(own);
    for (let row = from; row < to; row += 1) {
      const at = row * width;
      mark(separation.queries, at, query);
      mark(separation.keys, at, key);
      const [place, first] = [row - from, at + query.length];
      separation.queries.fill(1, first, first + Math.max(0, place - reach + 1));
      separation.queries.fill(1, first + Math.min(steps, place + ahead + 1), first + steps);
      if (place < steps) {
        separation.keys[first + place] = 1;
      }
    }
  });
  return separation;
}
