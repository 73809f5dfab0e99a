import { said } from '../../../../core/l10n';
import { type FloatType, widen } from '../float16';
import { unpackRow } from '../packed';
import { blockDecoders } from './blocks';
import { kBlockDecoders } from './k-blocks';
import { PackedReader } from './packed-blocks';
import { packings } from './packings';
import { blockOf, typeName } from './types';

const floats: readonly string[] = ['F32', 'F16', 'BF16'] satisfies readonly FloatType[];
const decoders = { ...blockDecoders, ...kBlockDecoders };

/** The types that are read, by name. */
export const readTypes: readonly string[] = [...floats, ...Object.keys(packings), ...Object.keys(decoders)];

/** What to do about a type that is not read. */
export const typeFix = said`use a file of the same model in one of ${readTypes.join(', ')}, or its safetensors files`;

/** Whether the values of a type are known. */
export function isRead(type: number): boolean {
  return readTypes.includes(typeName(type));
}

/**
 * Decodes blocks to float32, exactly as llama.cpp does.
 *
 * @param type as `ggml_type` numbers it; one that `isRead`
 * @param bytes whole blocks, which begin at a multiple of 4 in their buffer
 * @param values as many as the blocks have
 */
export function decode(type: number, bytes: Uint8Array, values: Float32Array): void {
  const name = typeName(type);
  if (floats.includes(name)) {
    widen(name as FloatType, bytes, values);
  } else if (Object.hasOwn(packings, name)) {
    const reader = new PackedReader(type, [1, values.length]);
    reader.take(bytes);
    unpackRow(reader.matrix, 0, values);
  } else {
    const block = blockOf(type);
    for (let at = 0, to = 0; to < values.length; at += block.bytes, to += block.elements) {
      decoders[name](bytes, at, values, to);
    }
  }
}
