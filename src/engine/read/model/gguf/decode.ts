import { blockDecoders } from './blocks';
import { kBlockDecoders } from './k-blocks';
import { blockOf, typeName } from './types';

const decoders = { ...blockDecoders, ...kBlockDecoders };

/** The types that are read, by name. */
export const readTypes: readonly string[] = Object.keys(decoders);

/** What to do about a type that is not read. */
export const typeFix = `use a file of the same model in one of ${readTypes.join(', ')}, or its safetensors files`;

/** Whether the values of a type are known. */
export function isRead(type: number): boolean {
  return Object.hasOwn(decoders, typeName(type));
}

/**
 * Decodes blocks to float32, exactly as llama.cpp does.
 *
 * @param type as `ggml_type` numbers it; one that `isRead`
 * @param bytes whole blocks
 * @param values as many as the blocks have
 */
export function decode(type: number, bytes: Uint8Array, values: Float32Array): void {
  const decoder = decoders[typeName(type)];
  const block = blockOf(type);
  for (let at = 0, to = 0; to < values.length; at += block.bytes, to += block.elements) {
    decoder(bytes, at, values, to);
  }
}
