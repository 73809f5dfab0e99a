import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { InputError, messageOf } from '../../core/errors';
import { fromBfloat16, fromFloat16 } from './half';

/** The largest header the format's own reader accepts, in bytes. */
const maximumHeaderBytes = 100_000_000;

const elementBytes = { F16: 2, BF16: 2, F32: 4 } as const;

const tensorSchema = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});
const headerSchema = z.record(z.string(), z.unknown());
type TensorEntry = z.infer<typeof tensorSchema>;

/** A tensor of a checkpoint, widened to float32. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/**
 * Reads every tensor of a safetensors file (F16, BF16 or F32) as float32.
 *
 * @throws InputError where the file is truncated, its header lies about lengths, offsets or overlaps, a type is not
 * supported, or a weight is NaN or infinite
 */
export async function readSafetensors(path: string): Promise<ReadonlyMap<string, Tensor>> {
  const name = basename(path);
  const file = await open(path).catch((error: unknown) => {
    throw new InputError(`${path} cannot be read (${messageOf(error)}); put the model's safetensors file there.`);
  });
  try {
    const { size } = await file.stat();
    const { entries, dataStart } = await readHeader(file, size, name);
    const tensors = new Map<string, Tensor>();
    for (const [key, entry] of entries) {
      tensors.set(key, await readTensor(file, dataStart, key, entry, name));
    }
    return tensors;
  } finally {
    await file.close();
  }
}

async function readHeader(file: FileHandle, size: number, name: string): Promise<{ entries: [string, TensorEntry][]; dataStart: number }> {
  if (size < 8) {
    throw new InputError(`${name} is truncated: it has ${size} bytes and a header needs at least 8; download it again.`);
  }
  const declared = Number((await readExactly(file, 0, 8, name)).readBigUInt64LE());
  if (declared > maximumHeaderBytes || 8 + declared > size) {
    throw new InputError(`${name} declares a header of ${declared} bytes but has ${size} bytes; download it again.`);
  }
  const header = parseHeader((await readExactly(file, 8, declared, name)).toString('utf8'), name);
  const dataStart = 8 + declared;
  checkLayout(header, size - dataStart, name);
  return { entries: header, dataStart };
}

function parseHeader(text: string, name: string): [string, TensorEntry][] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${name} has a header that is not JSON (${messageOf(error)}); download it again.`);
  }
  const header = headerSchema.safeParse(parsed);
  if (!header.success) {
    throw new InputError(`${name} has a header that is not a JSON object; download it again.`);
  }
  return Object.entries(header.data)
    .filter(([key]) => key !== '__metadata__')
    .map(([key, value]) => {
      const entry = tensorSchema.safeParse(value);
      if (!entry.success) {
        throw new InputError(`${name}: the header's entry for ${key} is malformed; download it again.`);
      }
      return [key, entry.data];
    });
}

/** Every tensor inside the file, none over another, each as long as its shape says. */
function checkLayout(entries: readonly [string, TensorEntry][], dataBytes: number, name: string): void {
  let end = 0;
  const byOffset = [...entries].sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0]);
  for (const [key, { dtype, shape, data_offsets: [from, to] }] of byOffset) {
    if (!isSupported(dtype)) {
      throw new InputError(`${name}: ${key} is stored as ${dtype}; convert the model to F32, F16 or BF16.`);
    }
    if (from > to || to > dataBytes) {
      throw new InputError(`${name}: ${key} ends at byte ${to} of ${dataBytes}; the file is truncated, download it again.`);
    }
    if (from < end) {
      throw new InputError(`${name}: ${key} overlaps another tensor at byte ${from}; download it again.`);
    }
    const expected = shape.reduce((product, length) => product * length, elementBytes[dtype]);
    if (to - from !== expected) {
      throw new InputError(`${name}: ${key} of shape [${shape.join(', ')}] needs ${expected} bytes but has ${to - from}; download it again.`);
    }
    end = to;
  }
}

async function readTensor(file: FileHandle, dataStart: number, key: string, entry: TensorEntry, name: string): Promise<Tensor> {
  const [from, to] = entry.data_offsets;
  const bytes = await readExactly(file, dataStart + from, to - from, name);
  const data = widen(bytes, entry.dtype);
  const broken = data.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) {
    throw new InputError(`${name}: ${key} holds ${data[broken]} at element ${broken}; the weights must be finite.`);
  }
  return { shape: entry.shape, data };
}

function widen(bytes: Buffer<ArrayBuffer>, dtype: string): Float32Array<ArrayBuffer> {
  if (dtype === 'F32') {
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  return dtype === 'F16' ? fromFloat16(halves) : fromBfloat16(halves);
}

function isSupported(dtype: string): dtype is keyof typeof elementBytes {
  return Object.hasOwn(elementBytes, dtype);
}

/** Reads into a buffer of its own (not the shared pool), so that typed arrays over it are aligned. */
async function readExactly(file: FileHandle, position: number, length: number, name: string): Promise<Buffer<ArrayBuffer>> {
  const buffer = Buffer.from(new ArrayBuffer(length));
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) {
      throw new InputError(`${name} ended at byte ${position + done}; the file is truncated, download it again.`);
    }
    done += bytesRead;
  }
  return buffer;
}
