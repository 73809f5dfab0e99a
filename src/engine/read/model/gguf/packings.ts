import { half } from './blocks';

/** Scales of blocks, and minima where a type has them. */
export interface Scales {
  readonly scales: Float32Array;
  readonly minima: Float32Array;
}

/**
 * How a type's blocks become codes that a `PackedMatrix` may have: with a scale for each group of values, `scale (code - 2^(bits - 1))`,
 * or with a minimum as well, `scale code - minimum`. Values are those of ggml-quants.c of llama.cpp, bit for bit.
 */
export interface Packing {
  readonly bits: 4 | 8;
  /** Values that share a scale. */
  readonly group: number;
  readonly hasMinima: boolean;
  /** Reads scales and minima of the block whose bytes begin at `at`, to those from `first` on. */
  readonly readScales: (bytes: Uint8Array, at: number, to: Scales, first: number) => void;
  /** Reads its codes, one in a byte. */
  readonly readCodes: (bytes: Uint8Array, at: number, codes: Uint8Array) => void;
}

/** A type with one scale d (half) at the beginning of a block of 32, and perhaps m (half) after it. */
function simple(bits: 4 | 8, hasMinima: boolean, readCodes: Packing['readCodes']): Packing {
  return {
    ...{ bits, group: 32, hasMinima, readCodes },
    readScales: (bytes, at, { scales, minima }, first) => {
      scales[first] = half(bytes, at);
      if (hasMinima) {
        minima[first] = -half(bytes, at + 2);
      }
    },
  };
}

/** Codes of 4 bits as in Q4_0: of value j in the low and of j + 16 in the high half of byte j; with fifth bits where there are some. */
function readHalves(bytes: Uint8Array, at: number, codes: Uint8Array, added = 0, fifths = 0): void {
  for (let j = 0; j < 16; j += 1) {
    codes[j] = ((bytes[at + j] & 15) | (((fifths >>> j) & 1) << 4)) + added;
    codes[j + 16] = ((bytes[at + j] >> 4) | (((fifths >>> (j + 16)) & 1) << 4)) + added;
  }
}

/** The 32 fifth bits of Q5_0 and Q5_1. */
function fifthBits(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

/** Scale (6 bits) of a group in the 12 bytes of Q4_K and Q5_K: `get_scale_min_k4`. */
function scaleOf(bytes: Uint8Array, at: number, group: number): number {
  return group < 4 ? bytes[at + group] & 63 : (bytes[at + group + 4] & 15) | ((bytes[at + group - 4] >> 6) << 4);
}

/** Minimum (6 bits) of a group, in the same bytes. */
function minimumOf(bytes: Uint8Array, at: number, group: number): number {
  return group < 4 ? bytes[at + group + 4] & 63 : (bytes[at + group + 4] >> 4) | ((bytes[at + group] >> 6) << 4);
}

/** A type with d and dmin (halves), and 8 scales and minima in 12 bytes: `(d scale) q - (dmin min)`. */
function kQuant(bits: 4 | 8, readCodes: Packing['readCodes']): Packing {
  return {
    ...{ bits, group: 32, hasMinima: true, readCodes },
    readScales: (bytes, at, { scales, minima }, first) => {
      const [d, dmin] = [half(bytes, at), half(bytes, at + 2)];
      for (let group = 0; group < 8; group += 1) {
        scales[first + group] = d * scaleOf(bytes, at + 4, group);
        minima[first + group] = dmin * minimumOf(bytes, at + 4, group);
      }
    },
  };
}

/** Types that stay packed, by what `typeName` calls them. */
export const packings: Readonly<Record<string, Packing>> = {
  /** `block_q4_0`: d, 16 bytes of codes; `d (q - 8)`. */
  Q4_0: simple(4, false, (bytes, at, codes) => readHalves(bytes, at + 2, codes)),
  /** `block_q4_1`: d and m, 16 bytes as in Q4_0; `d q + m`. */
  Q4_1: simple(4, true, (bytes, at, codes) => readHalves(bytes, at + 4, codes)),
  /** `block_q5_0`: d, 32 fifth bits, 16 bytes as in Q4_0; `d (q - 16)`. */
  Q5_0: simple(8, false, (bytes, at, codes) => readHalves(bytes, at + 6, codes, 128 - 16, fifthBits(bytes, at + 2))),
  /** `block_q5_1`: d and m, 32 fifth bits, 16 bytes as in Q4_0; `d q + m`. */
  Q5_1: simple(8, true, (bytes, at, codes) => readHalves(bytes, at + 8, codes, 0, fifthBits(bytes, at + 4))),
  /** `block_q8_0`: d, 32 signed bytes q; `d q`. */
  Q8_0: simple(8, false, (bytes, at, codes) => {
    for (let j = 0; j < 32; j += 1) {
      codes[j] = bytes[at + 2 + j] ^ 128;
    }
  }),
  /** `block_q4_K`: scales, 128 bytes of codes. */
  Q4_K: kQuant(4, (bytes, at, codes) => {
    for (let group = 0; group < 8; group += 1) {
      const [from, shift] = [at + 16 + 32 * (group >> 1), 4 * (group & 1)];
      for (let l = 0; l < 32; l += 1) {
        codes[32 * group + l] = (bytes[from + l] >> shift) & 15;
      }
    }
  }),
  /** `block_q5_K`: as Q4_K, with 32 bytes of fifth bits, one bit for each group, before the codes. */
  Q5_K: kQuant(8, (bytes, at, codes) => {
    for (let group = 0; group < 8; group += 1) {
      const [from, shift] = [at + 48 + 32 * (group >> 1), 4 * (group & 1)];
      for (let l = 0; l < 32; l += 1) {
        codes[32 * group + l] = ((bytes[from + l] >> shift) & 15) | (((bytes[at + 16 + l] >> group) & 1) << 4);
      }
    }
  }),
  /** `block_q6_K`: 128 bytes of lower and 64 of upper bits, 16 signed scales, d (half); `(d scale) (q - 32)`. */
  Q6_K: {
    ...{ bits: 8, group: 16, hasMinima: false },
    readScales: (bytes, at, { scales }, first) => {
      const d = half(bytes, at + 208);
      for (let group = 0; group < 16; group += 1) {
        scales[first + group] = d * ((bytes[at + 192 + group] << 24) >> 24);
      }
    },
    readCodes: (bytes, at, codes) => {
      for (let group = 0; group < 16; group += 1) {
        // Of 128 values, 64 bytes have the lower bits of two quarters each, and 32 bytes the upper bits of all four.
        const [part, quarter, place] = [group >> 3, (group >> 1) & 3, 16 * (group & 1)];
        const lower = at + 64 * part + 32 * (quarter & 1) + place;
        const upper = at + 128 + 32 * part + place;
        for (let l = 0; l < 16; l += 1) {
          const q = ((bytes[lower + l] >> (4 * (quarter >> 1))) & 15) | (((bytes[upper + l] >> (2 * quarter)) & 3) << 4);
          codes[16 * group + l] = q + 128 - 32;
        }
      }
    },
  },
};
