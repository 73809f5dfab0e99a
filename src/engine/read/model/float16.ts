/** Float32 values of all 65,536 float16 bit patterns, computed at first use. */
let halfTable: Float32Array | undefined;

/** Float32 values by the bit patterns of IEEE 754 half precision. */
export function float16Values(): Float32Array {
  return (halfTable ??= Float32Array.from({ length: 65_536 }, (_, pattern) => halfValue(pattern)));
}

/** Converts IEEE 754 half-precision bit patterns to float32, exactly. */
export function fromFloat16(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const table = float16Values();
  const values = new Float32Array(bits.length);
  for (let index = 0; index < bits.length; index += 1) {
    values[index] = table[bits[index]];
  }
  return values;
}

/** Converts bfloat16 bit patterns, the upper halves of float32, to float32, exactly. */
export function fromBfloat16(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const values = new Uint32Array(bits.length);
  for (let index = 0; index < bits.length; index += 1) {
    values[index] = bits[index] << 16;
  }
  return new Float32Array(values.buffer);
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
