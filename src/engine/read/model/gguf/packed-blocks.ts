import type { PackedMatrix } from '../packed';
import { fifthBits, half } from './blocks';
import { minimumOf, scaleOf } from './k-blocks';
import { blockOf, typeName } from './types';

/** Where the codes, scales and minima of one block of a file go. */
interface Target {
  /** One code in a byte. */
  readonly codes: Uint8Array;
  readonly scales: Float32Array;
  readonly minima: Float32Array;
}

/** How a type's blocks become codes that a `PackedMatrix` may have. */
interface Packing {
  readonly bits: 4 | 8;
  /** Values that share a scale. */
  readonly block: number;
  readonly hasMinima: boolean;
  /** Reads a block whose bytes begin at `at`. */
  readonly read: (bytes: Uint8Array, at: number, target: Target) => void;
}

/** Codes of 4 bits as in Q4_0: of value j in the low and of j + 16 in the high half of byte j; with fifth bits where there are some. */
function readHalves(bytes: Uint8Array, at: number, codes: Uint8Array, added = 0, fifths = 0): void {
  for (let j = 0; j < 16; j += 1) {
    codes[j] = ((bytes[at + j] & 15) | (((fifths >>> j) & 1) << 4)) + added;
    codes[j + 16] = ((bytes[at + j] >> 4) | (((fifths >>> (j + 16)) & 1) << 4)) + added;
  }
}

/** Scales and minima of a Q4_K or Q5_K block. */
function readScales(bytes: Uint8Array, at: number, { scales, minima }: Target): void {
  const [d, dmin] = [half(bytes, at), half(bytes, at + 2)];
  for (let group = 0; group < 8; group += 1) {
    scales[group] = d * scaleOf(bytes, at + 4, group);
    minima[group] = dmin * minimumOf(bytes, at + 4, group);
  }
}

/** Types that stay packed, by what `typeName` calls them; their blocks are described at their decoders. */
const packings: Readonly<Record<string, Packing>> = {
  Q4_0: {
    ...{ bits: 4, block: 32, hasMinima: false },
    read: (bytes, at, { codes, scales }) => {
      scales[0] = half(bytes, at);
      readHalves(bytes, at + 2, codes);
    },
  },
  Q4_1: {
    ...{ bits: 4, block: 32, hasMinima: true },
    read: (bytes, at, { codes, scales, minima }) => {
      scales[0] = half(bytes, at);
      minima[0] = -half(bytes, at + 2);
      readHalves(bytes, at + 4, codes);
    },
  },
  Q5_0: {
    ...{ bits: 8, block: 32, hasMinima: false },
    read: (bytes, at, { codes, scales }) => {
      scales[0] = half(bytes, at);
      readHalves(bytes, at + 6, codes, 128 - 16, fifthBits(bytes, at + 2));
    },
  },
  Q5_1: {
    ...{ bits: 8, block: 32, hasMinima: true },
    read: (bytes, at, { codes, scales, minima }) => {
      scales[0] = half(bytes, at);
      minima[0] = -half(bytes, at + 2);
      readHalves(bytes, at + 8, codes, 0, fifthBits(bytes, at + 4));
    },
  },
  Q8_0: {
    ...{ bits: 8, block: 32, hasMinima: false },
    read: (bytes, at, { codes, scales }) => {
      scales[0] = half(bytes, at);
      for (let j = 0; j < 32; j += 1) {
        codes[j] = bytes[at + 2 + j] ^ 128;
      }
    },
  },
  Q4_K: {
    ...{ bits: 4, block: 32, hasMinima: true },
    read: (bytes, at, target) => {
      readScales(bytes, at, target);
      for (let group = 0; group < 8; group += 1) {
        const [from, shift] = [at + 16 + 32 * (group >> 1), 4 * (group & 1)];
        for (let l = 0; l < 32; l += 1) {
          target.codes[32 * group + l] = (bytes[from + l] >> shift) & 15;
        }
      }
    },
  },
  Q5_K: {
    ...{ bits: 8, block: 32, hasMinima: true },
    read: (bytes, at, target) => {
      readScales(bytes, at, target);
      for (let group = 0; group < 8; group += 1) {
        const [from, shift] = [at + 48 + 32 * (group >> 1), 4 * (group & 1)];
        for (let l = 0; l < 32; l += 1) {
          target.codes[32 * group + l] = ((bytes[from + l] >> shift) & 15) | (((bytes[at + 16 + l] >> group) & 1) << 4);
        }
      }
    },
  },
  Q6_K: {
    ...{ bits: 8, block: 16, hasMinima: false },
    read: (bytes, at, { codes, scales }) => {
      const d = half(bytes, at + 208);
      for (let group = 0; group < 16; group += 1) {
        scales[group] = d * ((bytes[at + 192 + group] << 24) >> 24);
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

/** Whether a tensor of a type, `[rows, columns]`, can stay packed: rows are whole blocks, and codes of a row whole bytes. */
export function staysPacked(type: number, shape: readonly number[]): boolean {
  return Object.hasOwn(packings, typeName(type)) && shape.length === 2 && shape[1] % blockOf(type).elements === 0;
}

/** The runtime packs a weight once more, as its kernels want it. */
const copies = 2;

/** Bytes that so many elements of a type that stays packed take in a run. */
export function packedBytes(type: number, elements: number): number {
  const { bits, block, hasMinima } = packings[typeName(type)];
  return copies * elements * (bits / 8 + (Float32Array.BYTES_PER_ELEMENT * (hasMinima ? 2 : 1)) / block);
}

/**
 * A matrix that is filled by the blocks of a file, in their order.
 *
 * @param type one that `staysPacked` says yes to
 */
export class PackedReader {
  readonly matrix: PackedMatrix;
  private readonly packing: Packing;
  private done = 0;

  constructor(
    private readonly type: number,
    shape: readonly [rows: number, columns: number],
  ) {
    this.packing = packings[typeName(type)];
    const { bits, block, hasMinima } = this.packing;
    const values = shape[0] * shape[1];
    this.matrix = {
      ...{ shape, bits, block },
      codes: new Uint8Array((values * bits) / 8),
      scales: new Float32Array(values / block),
      ...(hasMinima && { minima: new Float32Array(values / block) }),
    };
  }

  /** Takes the next blocks. @param bytes whole blocks */
  take(bytes: Uint8Array): void {
    const { bits, block, read } = this.packing;
    const { codes, scales, minima } = this.matrix;
    const none = new Float32Array(0);
    const stored = blockOf(this.type);
    const groups = stored.elements / block;
    const own = new Uint8Array(stored.elements);
    for (let at = 0; at < bytes.length; at += stored.bytes, this.done += 1) {
      const [from, to] = [this.done * groups, (this.done + 1) * groups];
      read(bytes, at, { codes: own, scales: scales.subarray(from, to), minima: minima?.subarray(from, to) ?? none });
      const first = this.done * stored.elements;
      if (bits === 8) {
        codes.set(own, first);
      } else {
        for (let j = 0; j < own.length; j += 2) {
          codes[(first + j) >> 1] = own[j] | (own[j + 1] << 4);
        }
      }
    }
  }
}
