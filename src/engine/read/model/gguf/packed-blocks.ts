import type { PackedMatrix } from '../packed';
import { type Packing, packings } from './packings';
import { blockOf, typeName } from './types';

/** Whether a tensor of a type, `[rows, columns]`, can stay packed: rows are whole blocks, and codes of a row whole bytes. */
export function staysPacked(type: number, shape: readonly number[]): boolean {
  return Object.hasOwn(packings, typeName(type)) && shape.length === 2 && shape[1] % blockOf(type).elements === 0;
}

/** Bytes that so many elements of a type that stays packed take. */
export function packedBytes(type: number, elements: number): number {
  const { bits, group, hasMinima } = packings[typeName(type)];
  return elements * (bits / 8 + (Float32Array.BYTES_PER_ELEMENT * (hasMinima ? 2 : 1)) / group);
}

/**
 * A matrix that is filled by the blocks of a file, in their order.
 *
 * @param type one of `packings`
 */
export class PackedReader {
  readonly matrix: PackedMatrix;
  private readonly packing: Packing;
  /** Codes of the latest block, one in a byte. */
  private readonly own: Uint8Array;
  private done = 0;

  constructor(
    private readonly type: number,
    shape: readonly [rows: number, columns: number],
  ) {
    this.packing = packings[typeName(type)];
    this.own = new Uint8Array(blockOf(type).elements);
    const { bits, group, hasMinima } = this.packing;
    const values = shape[0] * shape[1];
    this.matrix = {
      ...{ shape, bits, block: group },
      codes: new Uint8Array((values * bits) / 8),
      scales: new Float32Array(values / group),
      ...(hasMinima && { minima: new Float32Array(values / group) }),
    };
  }

  /** Takes the next blocks. @param bytes whole blocks */
  take(bytes: Uint8Array): void {
    const { bits, group, readScales, readCodes } = this.packing;
    const { codes, scales, minima = scales } = this.matrix;
    const { own } = this;
    const to = { scales, minima };
    const block = blockOf(this.type);
    for (let at = 0; at < bytes.length; at += block.bytes, this.done += 1) {
      readScales(bytes, at, to, (this.done * block.elements) / group);
      readCodes(bytes, at, own);
      const first = this.done * block.elements;
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
