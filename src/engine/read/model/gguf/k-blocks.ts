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

/** Scale (6 bits) of a group in the 12 bytes of Q4_K and Q5_K: `get_scale_min_k4`. */
export function scaleOf(bytes: Uint8Array, at: number, group: number): number {
  return group < 4 ? bytes[at + group] & 63 : (bytes[at + group + 4] & 15) | ((bytes[at + group - 4] >> 6) << 4);
}

/** Minimum (6 bits) of a group, in the same bytes. */
export function minimumOf(bytes: Uint8Array, at: number, group: number): number {
  return group < 4 ? bytes[at + group + 4] & 63 : (bytes[at + group + 4] >> 4) | ((bytes[at + group] >> 6) << 4);
}

/** Q4_K, `block_q4_K`: d and dmin (halves), 8 scales and minima in 12 bytes, 128 bytes of codes; `(d scale) q - (dmin min)`. */
const q4k: BlockDecoder = (bytes, at, values, to) => {
  const [d, dmin] = [half(bytes, at), half(bytes, at + 2)];
  for (let group = 0; group < 8; group += 1) {
    const scale = Math.fround(d * scaleOf(bytes, at + 4, group));
    const minimum = Math.fround(dmin * minimumOf(bytes, at + 4, group));
    const codes = at + 16 + 32 * (group >> 1);
    const shift = 4 * (group & 1);
    for (let l = 0; l < 32; l += 1) {
      values[to + 32 * group + l] = Math.fround(scale * ((bytes[codes + l] >> shift) & 15)) - minimum;
    }
  }
};

/** Q5_K, `block_q5_K`: as Q4_K, with 32 bytes of fifth bits, one bit for each group, before the codes. */
const q5k: BlockDecoder = (bytes, at, values, to) => {
  const [d, dmin] = [half(bytes, at), half(bytes, at + 2)];
  for (let group = 0; group < 8; group += 1) {
    const scale = Math.fround(d * scaleOf(bytes, at + 4, group));
    const minimum = Math.fround(dmin * minimumOf(bytes, at + 4, group));
    const codes = at + 48 + 32 * (group >> 1);
    const shift = 4 * (group & 1);
    for (let l = 0; l < 32; l += 1) {
      const q = ((bytes[codes + l] >> shift) & 15) | (((bytes[at + 16 + l] >> group) & 1) << 4);
      values[to + 32 * group + l] = Math.fround(scale * q) - minimum;
    }
  }
};

/** Q6_K, `block_q6_K`: 128 bytes of lower and 64 of upper bits, 16 signed scales, d (half); `(d scale) (q - 32)`. */
const q6k: BlockDecoder = (bytes, at, values, to) => {
  const d = half(bytes, at + 208);
  for (let group = 0; group < 16; group += 1) {
    const scale = Math.fround(d * ((bytes[at + 192 + group] << 24) >> 24));
    // Of 128 values, 64 bytes have the lower bits of two quarters each, and 32 bytes the upper bits of all four.
    const [part, quarter, place] = [group >> 3, (group >> 1) & 3, 16 * (group & 1)];
    const lower = at + 64 * part + 32 * (quarter & 1) + place;
    const upper = at + 128 + 32 * part + place;
    for (let l = 0; l < 16; l += 1) {
      const q = ((bytes[lower + l] >> (4 * (quarter >> 1))) & 15) | (((bytes[upper + l] >> (2 * quarter)) & 3) << 4);
      values[to + 16 * group + l] = scale * (q - 32);
    }
  }
};

/** Decoders by what `typeName` calls a type. */
export const kBlockDecoders: Readonly<Record<string, BlockDecoder>> = { Q2_K: q2k, Q3_K: q3k, Q4_K: q4k, Q5_K: q5k, Q6_K: q6k };
