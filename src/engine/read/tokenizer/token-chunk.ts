import type { Place } from './token-reader';

/** Tokens in a chunk, if the text can be parted there: an edit re-tokenizes about two of them. */
export const chunkTokens = 1024;

/** A run of tokens from a place where reading can start. It is never changed, so that versions of a text can share it. */
export interface TokenChunk {
  readonly ids: Int32Array;
  /** Where tokens begin, from the start of the chunk, in UTF-16 code units; ascending. */
  readonly starts: Int32Array;
  /** Length of its text. */
  readonly units: number;
  readonly place: Place;
  /** One past the last code unit that decided its tokens, from its start. */
  readonly reach: number;
}

/** The sums of numbers, from 0 to that of all. */
export function sums(values: readonly number[]): Float64Array {
  const result = new Float64Array(values.length + 1);
  values.forEach((value, index) => (result[index + 1] = result[index] + value));
  return result;
}

/** The last index whose value is at most `target`, of `count` ascending values; 0 if there is none. */
export function lastAtMost(values: Float64Array | Int32Array, count: number, target: number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (values[middle] <= target) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return Math.max(0, low);
}
