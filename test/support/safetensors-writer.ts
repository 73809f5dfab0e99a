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
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...Object.values(tensors).map(({ data }) => data)]);
}

/** Float32 values as they are stored. */
export function f32(shape: readonly number[], values: readonly number[]): StoredTensor {
  return { dtype: 'F32', shape, data: new Uint8Array(Float32Array.from(values).buffer) };
}
