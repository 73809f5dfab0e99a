import { type BlockDecoder, half } from './blocks';

/*
 * K-quants: blocks of 256 values, in groups with scales of their own, which are numbers of few bits times one half-precision number.
 */

/** Q2_K, `block_q2_K`: 16 bytes with scale (low half) and minimum (high half), 64 bytes of codes, d and dmin (halves); `(d scale) q - (dmin min)`. */
const q2k: BlockDecoder = (bytes, at, values, to) => {
  const [d, dmin] = [half(bytes, at + 80), half(bytes, at + 82)];
  for (let group = 0; group < 16; group += 1) {
    const packed = bytes[at + group];
    const scale = Math.fround(d * (packed & 15));
    const minimum = Math.fround(dmin * (packed >> 4));
    // Of 128 values, 32 bytes have those of one group in each pair of their bits.
    const codes = at + 16 + 32 * (group >> 3) + 16 * (group & 1);
    const shift = group & 6;
    for (let l = 0; l < 16; l += 1) {
      values[to + 16 * group + l] = Math.fround(scale * ((bytes[codes + l] >> shift) & 3)) - minimum;
    }
  }
};

/** Q3_K, `block_q3_K`: 32 bytes of third bits, 64 bytes of codes, 16 scales of 6 bits in 12 bytes, d (half); `(d (scale - 32)) (q - 4)`. */
const q3k: BlockDecoder = (bytes, at, values, to) => {
  const d = half(bytes, at + 108);
  const scales = at + 96;
  for (let group = 0; group < 16; group += 1) {
    const lower = (bytes[scales + (group & 7)] >> (group < 8 ? 0 : 4)) & 15;
    const upper = (bytes[scales + 8 + (group & 3)] >> (2 * (group >> 2))) & 3;
    const scale = Math.fround(d * ((lower | (upper << 4)) - 32));
    const place = 16 * (group & 1);
    const codes = at + 32 + 32 * (group >> 3) + place;
    const shift = group & 6;
    const third = group >> 1;
    for (let l = 0; l < 16; l += 1) {
      const q = ((bytes[codes + l] >> shift) & 3) | (((bytes[at + place + l] >> third) & 1) << 2);
      values[to + 16 * group + l] = scale * (q - 4);
    }
  }
};

/** Decoders of types that become float32, by what `typeName` calls them. */
export const kBlockDecoders: Readonly<Record<string, BlockDecoder>> = { Q2_K: q2k, Q3_K: q3k };
