import { InputError } from '../../../../core/errors';
import { shown } from '../../../../core/text/printable';

/** The 32-bit words of bytes that begin at a multiple of four in their buffer. */
export function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

/**
 * A code out of a line of 32-bit words: codes follow one another from the lowest bit of the first word on, without gaps, so
 * that one of 3 or 6 bits may begin in a word and end in the next.
 *
 * @param first index of the line's first word
 * @param stride from one word of the line to the next: 1 in a row, the row's length in a column
 * @param index of the code in the line
 */
export function codeAt(words: Uint32Array, first: number, stride: number, index: number, bits: number): number {
  const place = index * bits;
  const at = first + (place >>> 5) * stride;
  const shift = place & 31;
  const low = words[at] >>> shift;
  const code = shift + bits > 32 ? low | (words[at + stride] << (32 - shift)) : low;
  return code & ((1 << bits) - 1);
}

/**
 * How many codes a line of words has.
 *
 * @param tensor named in errors
 * @throws InputError if the words do not end with a code
 */
export function codesIn(words: number, bits: number, tensor: string): number {
  if ((words * 32) % bits !== 0) {
    throw new InputError(
      `${shown(tensor, 100)} has lines of ${words} words of 32 bits, which codes of ${bits} bits do not fill; download the model again.`,
    );
  }
  return (words * 32) / bits;
}

/**
 * How many groups a line of codes has.
 *
 * @param size codes in a group; -1 if the line is one group
 * @param tensor named in errors
 * @throws InputError if the groups do not fill the line
 */
export function groupsIn(codes: number, size: number, tensor: string): number {
  if (size === -1) {
    return 1;
  }
  if (codes % size !== 0) {
    throw new InputError(
      `${shown(tensor, 100)}: groups of ${size} do not divide its ${codes} inputs; correct bits or group_size in config.json.`,
    );
  }
  return codes / size;
}
