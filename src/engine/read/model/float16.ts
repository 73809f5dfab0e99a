/** Float32 values of all 65,536 float16 bit patterns, computed at first use. */
let halfTable: Float32Array | undefined;

/** Float32 values by the bit patterns of IEEE 754 half precision. */
export function float16Values(): Float32Array {
  return (halfTable ??= Float32Array.from({ length: 65_536 }, (_, pattern) => halfValue(pattern)));
}

/** Types of numbers in files that are float32, or become it exactly. */
export type FloatType = 'F32' | 'F16' | 'BF16';

/**
 * Numbers of a file as float32, exactly: float32, IEEE 754 half precision, or bfloat16, the upper halves of float32.
 *
 * @param bytes of whole numbers, which begin at a multiple of their size in their buffer
 * @param into as many as there are
 */
export function widen(type: FloatType, bytes: Uint8Array, into: Float32Array): void {
  if (type === 'F32') {
    new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(bytes);
    return;
  }
  const bits = new Uint16Array(bytes.buffer, bytes.byteOffset, into.length);
  if (type === 'F16') {
    const table = float16Values();
    for (let index = 0; index < bits.length; index += 1) {
      into[index] = table[bits[index]];
    }
  } else {
    const words = new Uint32Array(into.buffer, into.byteOffset, into.length);
    for (let index = 0; index < bits.length; index += 1) {
      words[index] = bits[index] << 16;
    }
  }
}

function halfValue(pattern: number): number {
  const sign = pattern & 0x8000 ? -1 : 1;
  const exponent = (pattern >> 10) & 0x1f;
  const fraction = pattern & 0x3ff;
  if (exponent === 0) {
    return sign * fraction * 2 ** -24;
  }
  if (exponent === 31) {
    return fraction === 0 ? sign * Infinity : NaN;
  }
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
