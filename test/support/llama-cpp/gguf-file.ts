import { writeFile } from 'node:fs/promises';

/** GGUF's numbers for the types of metadata values, and for float32 tensors. */
const valueTypes = { uint8: 0, uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;
const float32Tensor = 0;

/** Tensors begin at multiples of this in the file. */
const alignment = 32;

/** A tensor on its way to the file: its shape with the fastest axis first, as GGUF has it. */
export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
  /** The same in another type, as `ggml_type` numbers it; float32 by default. */
  readonly stored?: { readonly type: number; readonly bytes: Uint8Array };
}

type Scalar =
  | { readonly type: 'uint8' | 'uint32' | 'int32' | 'float32'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'bool'; readonly value: boolean };
type Value = Scalar | { readonly type: 'array'; readonly values: readonly Scalar[] };

/** What the file says about the model, by GGUF's names. */
export type Metadata = Readonly<Record<string, Value>>;

/** A number of things. */
export function count(value: number): Scalar {
  return { type: 'uint32', value };
}

/** A real number. */
export function real(value: number): Scalar {
  return { type: 'float32', value };
}

/** A text. */
export function text(value: string): Scalar {
  return { type: 'string', value };
}

/** Whether something is so. */
export function flag(value: boolean): Scalar {
  return { type: 'bool', value };
}

/** Values of one type, at least one. */
export function list(values: readonly Scalar[]): Value {
  return { type: 'array', values };
}

/** Writes a GGUF file, version 3. */
export async function writeGgufFile(path: string, described: Metadata, tensors: readonly Tensor[]): Promise<void> {
  const metadata = { ...described, 'general.alignment': count(alignment) };
  const parts: Buffer[] = [Buffer.from('GGUF'), uint32(3), uint64(tensors.length), uint64(Object.keys(metadata).length)];
  for (const [key, value] of Object.entries(metadata)) {
    parts.push(utf8(key), uint32(valueTypes[value.type]), encoded(value));
  }
  let offset = 0;
  for (const { name, shape, data, stored } of tensors) {
    parts.push(utf8(name), uint32(shape.length), ...shape.map(uint64), uint32(stored?.type ?? float32Tensor), uint64(offset));
    offset += padded((stored?.bytes ?? data).byteLength);
  }
  const header = parts.reduce((sum, part) => sum + part.length, 0);
  parts.push(Buffer.alloc(padded(header) - header));
  for (const { data, stored } of tensors) {
    const { buffer, byteOffset, byteLength } = stored?.bytes ?? data;
    parts.push(Buffer.from(buffer, byteOffset, byteLength), Buffer.alloc(padded(byteLength) - byteLength));
  }
  await writeFile(path, parts);
}

function encoded(value: Value): Buffer {
  switch (value.type) {
    case 'array':
      return Buffer.concat([uint32(valueTypes[value.values[0].type]), uint64(value.values.length), ...value.values.map(encoded)]);
    case 'string':
      return utf8(value.value);
    case 'float32':
      return float32(value.value);
    case 'uint8':
      return Buffer.of(value.value);
    case 'bool':
      return Buffer.of(Number(value.value));
    default:
      return uint32(value.value);
  }
}

function padded(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

function uint64(value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
}

function float32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeFloatLE(value);
  return buffer;
}

function utf8(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint64(bytes.length), bytes]);
}
