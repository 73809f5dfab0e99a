import type { Construction } from './construction';

/** Columns `[from, from + width)` of a slice. */
export interface Columns {
  readonly from: number;
  readonly width: number;
}

/**
 * What is read from a call.
 *
 * `state`: the mean value and the log-normaliser, through two indicator columns (`tight`). `normaliser`: the log-normaliser
 * by the literal formula `e^c * a / (1 - a)` of lemma 3.1. `mean-value`: the mean value, without the synthetic token.
 * `mean-key`: the mean key, without the synthetic token, which a retry uses as its reference.
 */
export type Reading = 'state' | 'normaliser' | 'mean-value' | 'mean-key';

/** The column slice that one single-head instance owns in a token of the small transformer (lemma 3.3). */
interface SliceShape {
  /** m: width of the head. */
  readonly headWidth: number;
  /** w: separation columns, 0 if there are none. */
  readonly separation: number;
}

/** Positions of a slice's columns. The first `inputWidth` are the call's input; the oracle fills the others. */
export interface SliceColumns {
  readonly query: Columns;
  /** The key whose score with the query becomes the synthetic token's. */
  readonly reference: Columns;
  readonly key: Columns;
  readonly value: Columns;
  /** 1 in every row. */
  readonly one: Columns;
  readonly querySeparation: Columns;
  /** 1 in a row with a real key. */
  readonly real: Columns;
  /** 1 in the synthetic token's row. */
  readonly synthetic: Columns;
  /** `hiddenScore` in a row with no key, else 0. */
  readonly padding: Columns;
  readonly keySeparation: Columns;
  readonly inputWidth: number;
  /** c: the score of the synthetic token. */
  readonly score: Columns;
  /** The result of the slice's attention head. */
  readonly result: Columns;
  readonly width: number;
}

/**
 * The columns of a slice under a reading. What a head compares, and what it averages, are columns side by side: `one` and u for its
 * queries, `synthetic`, `padding` and v for its keys, `real` and `synthetic` for its values.
 */
export function sliceColumns({ headWidth: m, separation: w }: SliceShape, reading: Reading): SliceColumns {
  let next = 0;
  const take = (width: number): Columns => {
    next += width;
    return { from: next - width, width };
  };
  const columns = {
    query: take(m),
    reference: take(m),
    key: take(m),
    value: take(m),
    one: take(1),
    querySeparation: take(w),
    real: take(1),
    synthetic: take(1),
    padding: take(1),
    keySeparation: take(w),
  };
  const inputWidth = next;
  return { ...columns, inputWidth, score: take(1), result: take(resultWidth(m, reading)), width: next };
}

/** Columns that an attention head returns: the values it averages. */
export function resultWidth(headWidth: number, reading: Reading): number {
  return { state: headWidth + 2, normaliser: 1, 'mean-value': headWidth, 'mean-key': headWidth }[reading];
}

/** Columns of the final output, which is all that a call shows: mean and log-normaliser, or one of them. */
export function outputWidth(headWidth: number, reading: Reading): number {
  return reading === 'state' ? headWidth + 1 : resultWidth(headWidth, reading);
}

/** Width of a head's queries and keys: the token's own columns, c, padding and separation. */
function scoreWidth({ headWidth, separation }: SliceShape): number {
  return headWidth + 2 + separation;
}

/** Shape of one call of the black box. */
export interface BlackBoxShape extends SliceShape {
  /** Rows of a call: at most M. */
  readonly rows: number;
  /** L'. */
  readonly layers: number;
  /** H'. */
  readonly heads: number;
}

/** Floating-point operations of one call: scores and means. Its projections are 0/1 matrices, which select columns. */
export function callFlops(shape: BlackBoxShape, reading: Reading): number {
  const { rows, layers, heads, headWidth } = shape;
  return 2 * layers * heads * rows * rows * (scoreWidth(shape) + resultWidth(headWidth, reading));
}

/** Bytes of one call's tensors in float32: its tokens, what the heads of all layers select of them, scores, weights and results. */
export function callBytes(shape: BlackBoxShape, reading: Reading): number {
  const { rows, layers, heads, headWidth } = shape;
  const selected = 3 * scoreWidth(shape) + 2 * resultWidth(headWidth, reading) + outputWidth(headWidth, reading);
  return callInputBytes(shape) + 4 * layers * heads * rows * selected + 4 * heads * 2 * rows * rows;
}

/** Bytes of the tokens of one call, in float32. */
export function callInputBytes(shape: BlackBoxShape): number {
  return 4 * shape.rows * shape.layers * shape.heads * sliceColumns(shape, 'state').inputWidth;
}

/** The readings that a construction makes of a pattern, in order. */
export const readingsOf = {
  tight: ['state'],
  paper: ['normaliser', 'mean-value'],
} as const satisfies Readonly<Record<'tight' | 'paper', readonly Reading[]>>;

/** Calls per instance: one under `fused`, one per reading under a black box. */
export function callsPerInstance(construction: Construction): number {
  return construction === 'fused' ? 1 : readingsOf[construction].length;
}
