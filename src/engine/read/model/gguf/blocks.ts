import { float16Values } from '../float16';

/**
 * Decodes one block: its bytes begin at `at`, and its values go to `values` from `to` on.
 *
 * Values are those of ggml-quants.c of llama.cpp, bit for bit. It computes in float32: a product of a float32 and a small integer is
 * rounded once, where it is stored or by `Math.fround`, and so is a sum.
 */
export type BlockDecoder = (bytes: Uint8Array, at: number, values: Float32Array, to: number) => void;

/** The half-precision number at a byte. */
export function half(bytes: Uint8Array, at: number): number {
  return float16Values()[bytes[at] | (bytes[at + 1] << 8)];
}

/** Twice the values of FP4 (E2M1), by its bit patterns: `kvalues_mxfp4`. */
const doubledFp4 = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12] as const;

/** MXFP4, `block_mxfp4`: an exponent e (E8M0), 16 bytes as in Q4_0 with FP4 numbers (OCP Microscaling 1.0); `2^(e - 127) fp4`. */
const mxfp4: BlockDecoder = (bytes, at, values, to) => {
  const scale = 2 ** (bytes[at] - 128);
  for (let j = 0; j < 16; j += 1) {
    const q = bytes[at + 1 + j];
    values[to + j] = scale * doubledFp4[q & 15];
    values[to + j + 16] = scale * doubledFp4[q >> 4];
  }
};

/** What the codes of IQ4_NL and IQ4_XS stand for: `kvalues_iq4nl`. */
const unevenSteps = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] as const;

/** IQ4_NL, `block_iq4_nl`: d (half), 16 bytes as in Q4_0; `d steps[q]`. */
const iq4nl: BlockDecoder = (bytes, at, values, to) => {
  const d = half(bytes, at);
  for (let j = 0; j < 16; j += 1) {
    const q = bytes[at + 2 + j];
    values[to + j] = d * unevenSteps[q & 15];
    values[to + j + 16] = d * unevenSteps[q >> 4];
  }
};

/**
 * IQ4_XS, `block_iq4_xs`: d (half), the upper 2 bits of 8 scales in 16 bits, their lower 4 bits in 4 bytes, and 128 bytes, 16 for each
 * group of 32 values, as in Q4_0; `(d (scale - 32)) steps[q]`.
 */
const iq4xs: BlockDecoder = (bytes, at, values, to) => {
  const d = half(bytes, at);
  const upper = bytes[at + 2] | (bytes[at + 3] << 8);
  for (let group = 0; group < 8; group += 1) {
    const lower = (bytes[at + 4 + (group >> 1)] >> (4 * (group & 1))) & 15;
    const scale = Math.fround(d * ((lower | (((upper >> (2 * group)) & 3) << 4)) - 32));
    for (let j = 0; j < 16; j += 1) {
      const q = bytes[at + 8 + 16 * group + j];
      values[to + 32 * group + j] = scale * unevenSteps[q & 15];
      values[to + 32 * group + j + 16] = scale * unevenSteps[q >> 4];
    }
  }
};

/** Decoders of types that become float32, by what `typeName` calls them. */
export const blockDecoders: Readonly<Record<string, BlockDecoder>> = { MXFP4: mxfp4, IQ4_NL: iq4nl, IQ4_XS: iq4xs };
