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
  /** w: width of the separation vectors, 0 if there are none. */
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
  /** 1 in a row with a real key. */
  readonly real: Columns;
  /** 1 in the synthetic token's row. */
  readonly synthetic: Columns;
  /** `hiddenScore` in a row with no key, else 0. */
  readonly padding: Columns;
  readonly querySeparation: Columns;
  readonly keySeparation: Columns;
  readonly inputWidth: number;
  /** c: the score of the synthetic token, `<query, reference>`. */
  readonly score: Columns;
  /** The result of the slice's attention head. */
  readonly result: Columns;
  readonly width: number;
}

/** The columns of a slice under a reading. */
export function sliceColumns({ headWidth: m, separation: w }: SliceShape, reading: Reading): SliceColumns {
  let next = 0;
  const take = (width: number): Columns => {
    next += width;
    return { from: next - width, width };
  };
  const query = take(m);
  const reference = take(m);
  const key = take(m);
  const value = take(m);
  const one = take(1);
  const real = take(1);
  const synthetic = take(1);
  const padding = take(1);
  const querySeparation = take(w);
  const keySeparation = take(w);
  const inputWidth = next;
  const score = take(1);
  const result = take(resultWidth(m, reading));
  return {
    query,
    reference,
    key,
    value,
    one,
    real,
    synthetic,
    padding,
    querySeparation,
    keySeparation,
    inputWidth,
    score,
    result,
    width: next,
  };
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
export function scoreWidth({ headWidth, separation }: SliceShape): number {
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

/** Floating-point operations of one call: projections that select columns, scores, means, and the output projection. */
export function callFlops(shape: BlackBoxShape, reading: Reading): number {
  const { rows, layers, heads } = shape;
  const width = layers * heads * sliceColumns(shape, reading).width;
  const result = resultWidth(shape.headWidth, reading);
  const scored = scoreWidth(shape);
  const perHead = 2 * rows * width * (2 * scored + result) + 2 * rows * rows * (scored + result) + 2 * rows * result * width;
  return layers * heads * perHead;
}

/**
 * Bytes of one call's tensors in float32: tokens in and between layers, and projections, scores and weights of one layer.
 */
export function callBytes(shape: BlackBoxShape, reading: Reading): number {
  const { rows, layers, heads } = shape;
  const { width, inputWidth } = sliceColumns(shape, reading);
  const tokens = rows * layers * heads * (inputWidth + 3 * width);
  const attention = heads * rows * (2 * rows + 3 * scoreWidth(shape) + 2 * resultWidth(shape.headWidth, reading));
  return 4 * (tokens + attention);
}

/** Bytes of the weights passed with a call, in float32: they grow with the square of H'L'. */
export function callWeightBytes(shape: BlackBoxShape, reading: Reading): number {
  const { layers, heads, headWidth } = shape;
  const width = layers * heads * sliceColumns(shape, reading).width;
  // Queries, keys, values and the output projection of every head of every layer.
  return 4 * layers * heads * width * (2 * scoreWidth(shape) + 2 * resultWidth(headWidth, reading));
}

/** Bytes of a page, the least memory that a write takes. */
const pageBytes = 4096;

/**
 * The memory that those weights really take: their entries are 0 but for one in each row that is selected, and memory that is 0
 * and was never written is none.
 */
export function writtenWeightBytes(shape: BlackBoxShape, reading: Reading): number {
  const { layers, heads, headWidth } = shape;
  const width = layers * heads * sliceColumns(shape, reading).width;
  const scored = scoreWidth(shape);
  const result = resultWidth(headWidth, reading);
  // Rows of queries, keys and values follow one another; those of the output projection are as wide as all slices.
  return layers * heads * (4 * (2 * scored ** 2 + result ** 2) + result * Math.min(pageBytes, 4 * width));
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
