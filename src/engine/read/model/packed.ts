/**
 * A matrix `[rows, columns]` of integer codes, each row in blocks with a scale of their own, as `com.microsoft.MatMulNBits` of ONNX
 * Runtime reads it.
 *
 * A value is `scale (code - 2^(bits - 1))`, or where blocks have minima `scale code - minimum`, each product and sum rounded to
 * float32 once, as llama.cpp does.
 */
export interface PackedMatrix {
  readonly shape: readonly [rows: number, columns: number];
  readonly bits: 4 | 8;
  /** Values of a block, of which a row has whole ones. */
  readonly block: number;
  /** Row by row; of two codes of 4 bits in a byte, the first is the lower half. */
  readonly codes: Uint8Array;
  /** One for each block, `[rows, columns / block]`. */
  readonly scales: Float32Array;
  /** As scales; absent where codes are signed. */
  readonly minima?: Float32Array;
}

/** The values of a row. @param into as many as there are columns */
export function unpackRow({ shape: [, columns], bits, block, codes, scales, minima }: PackedMatrix, row: number, into: Float32Array): void {
  const blocks = columns / block;
  const zero = minima === undefined ? 2 ** (bits - 1) : 0;
  for (let index = 0; index < blocks; index += 1) {
    const scale = scales[row * blocks + index];
    const minimum = minima?.[row * blocks + index] ?? 0;
    const first = index * block;
    for (let column = first; column < first + block; column += 1) {
      const place = row * columns + column;
      const code = bits === 8 ? codes[place] : (codes[place >> 1] >> (4 * (place & 1))) & 15;
      into[column] = Math.fround(scale * (code - zero)) - minimum;
    }
  }
}

/** Some rows of a matrix, in an order of their own. @param rows numbers of rows of the matrix, one for each row of the result */
export function pickRows({ shape: [, columns], codes, scales, minima, ...format }: PackedMatrix, rows: readonly number[]): PackedMatrix {
  const pick = <Of extends Uint8Array | Float32Array>(from: Of, size: number): Of => {
    const picked = new (from.constructor as new (length: number) => Of)(rows.length * size);
    rows.forEach((row, to) => picked.set(from.subarray(row * size, (row + 1) * size), to * size));
    return picked;
  };
  const blocks = columns / format.block;
  return {
    ...format,
    shape: [rows.length, columns],
    codes: pick(codes, (columns * format.bits) / 8),
    scales: pick(scales, blocks),
    ...(minima && { minima: pick(minima, blocks) }),
  };
}
