/** A tensor to be written; `data` holds the stored bits. */
export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** The bytes of a safetensors file. @param change edits the header before it is written, to make it lie */
export function safetensorsFile(
  tensors: Readonly<Record<string, StoredTensor>>,
  change: (header: Record<string, { data_offsets: number[]; shape: number[]; dtype: string }>) => unknown = () => undefined,
): Buffer {
  const header: Record<string, { data_offsets: number[]; shape: number[]; dtype: string }> = {};
  let offset = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype, shape: [...shape], data_offsets: [offset, offset + data.length] };
    offset += data.length;
  }
  change(header);
  return safetensorsBytes(JSON.stringify(header), Buffer.concat(Object.values(tensors).map(({ data }) => data)));
}

/**
 * The bytes of a safetensors file with any header.
 *
 * @param header text, or bytes that are none
 * @param declared the header's length as the file states it
 */
export function safetensorsBytes(header: string | Uint8Array, data: Uint8Array = new Uint8Array(), declared?: bigint): Buffer {
  const text = Buffer.from(header as string);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(declared ?? BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

/** Float32 values as they are stored. */
export function f32(shape: readonly number[], values: readonly number[]): StoredTensor {
  return { dtype: 'F32', shape, data: new Uint8Array(Float32Array.from(values).buffer) };
}
