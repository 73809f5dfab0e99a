import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { InputError, messageOf } from '../../core/errors';
import { elementsOf } from './checkpoint';
import { fromBfloat16, fromFloat16 } from './half';
import type { Weight } from './weights';

/** The largest header that is read, in bytes: the format's own reader stops there too. */
const maximumHeaderBytes = 100_000_000;

/** Bytes of an element, for the types that can be read. */
const elementBytes = { F16: 2, BF16: 2, F32: 4 } as const;

const offset = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const tensorSchema = z.object({
  dtype: z.string().max(32),
  shape: z.array(offset).max(16),
  data_offsets: z.tuple([offset, offset]),
});
const headerSchema = z.record(z.string(), z.unknown());
type TensorEntry = z.infer<typeof tensorSchema>;

/** Reads a tensor's bytes in pieces of this many, so that a wide one is not in memory twice. */
const pieceBytes = 64 * 1024 * 1024;

/**
 * A safetensors file whose header was read and checked; tensors are read one by one, each once, as float32.
 *
 * Close it when the last one is read.
 */
export class SafetensorsFile {
  private constructor(
    private readonly file: FileHandle,
    private readonly name: string,
    private readonly dataStart: number,
    private readonly entries: ReadonlyMap<string, TensorEntry>,
  ) {}

  /**
   * Opens a file and checks its header.
   *
   * @throws InputError where it is truncated, or its header lies about lengths, offsets or overlaps
   */
  static async open(path: string): Promise<SafetensorsFile> {
    const name = basename(path);
    const file = await open(path).catch((error: unknown) => {
      throw new InputError(`${path} cannot be read (${messageOf(error)}); put the model's safetensors file there.`);
    });
    try {
      const found = await file.stat();
      if (!found.isFile()) {
        throw new InputError(`${path} is not a file; put the model's safetensors file there.`);
      }
      const { entries, dataStart } = await readHeader(file, found.size, name);
      return new SafetensorsFile(file, name, dataStart, entries);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Names of its tensors. */
  get names(): Iterable<string> {
    return this.entries.keys();
  }

  /** The shape of a tensor; undefined where there is none of that name. */
  shapeOf(tensor: string): readonly number[] | undefined {
    return this.entries.get(tensor)?.shape;
  }

  /**
   * Reads a tensor (F16, BF16 or F32) as float32.
   *
   * @throws InputError where its type is not supported or one of its numbers is NaN or infinite
   */
  async read(tensor: string): Promise<Weight> {
    const entry = this.entries.get(tensor);
    if (entry === undefined) {
      throw new InputError(`${this.name} lacks ${tensor}; it does not belong to this config.json.`);
    }
    const { dtype, shape, data_offsets: [from, to] } = entry;
    if (!isSupported(dtype)) {
      throw new InputError(`${this.name}: ${tensor} is stored as ${dtype}; convert the model to F32, F16 or BF16.`);
    }
    const data = dtype === 'F32' ? await this.readFloats(from, to) : await this.readHalves(from, to, dtype);
    const broken = data.findIndex((value) => !Number.isFinite(value));
    if (broken >= 0) {
      throw new InputError(`${this.name}: ${tensor} holds ${data[broken]} at element ${broken}; the weights must be finite.`);
    }
    return { shape, data };
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  /** The bytes are the numbers: they are read into their final place. */
  private async readFloats(from: number, to: number): Promise<Float32Array> {
    const data = new Float32Array((to - from) / elementBytes.F32);
    await readInto(this.file, this.dataStart + from, new Uint8Array(data.buffer), this.name);
    return data;
  }

  private async readHalves(from: number, to: number, dtype: 'F16' | 'BF16'): Promise<Float32Array> {
    const data = new Float32Array((to - from) / elementBytes[dtype]);
    const piece = new Uint8Array(Math.min(pieceBytes, to - from));
    for (let done = 0; done < to - from; done += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, to - from - done));
      await readInto(this.file, this.dataStart + from + done, part, this.name);
      const halves = new Uint16Array(part.buffer, 0, part.length / 2);
      data.set(dtype === 'F16' ? fromFloat16(halves) : fromBfloat16(halves), done / 2);
    }
    return data;
  }
}

async function readHeader(file: FileHandle, size: number, name: string): Promise<{ entries: ReadonlyMap<string, TensorEntry>; dataStart: number }> {
  if (size < 8) {
    throw new InputError(`${name} is truncated: it has ${size} bytes and a header needs at least 8; download it again.`);
  }
  const length = Buffer.alloc(8);
  await readInto(file, 0, length, name);
  const declared = length.readBigUInt64LE();
  if (declared > BigInt(maximumHeaderBytes) || 8n + declared > BigInt(size)) {
    throw new InputError(`${name} declares a header of ${declared} bytes but has ${size} bytes; download it again.`);
  }
  const text = Buffer.alloc(Number(declared));
  await readInto(file, 8, text, name);
  const entries = parseHeader(text.toString('utf8'), name);
  const dataStart = 8 + text.length;
  checkLayout(entries, size - dataStart, name);
  return { entries, dataStart };
}

function parseHeader(text: string, name: string): ReadonlyMap<string, TensorEntry> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${name} has a header that is not JSON (${shortened(messageOf(error))}); download it again.`);
  }
  const header = headerSchema.safeParse(parsed);
  if (!header.success) {
    throw new InputError(`${name} has a header that is not a JSON object; download it again.`);
  }
  const entries = new Map<string, TensorEntry>();
  for (const [key, value] of Object.entries(header.data)) {
    if (key !== '__metadata__') {
      const entry = tensorSchema.safeParse(value);
      if (!entry.success) {
        throw new InputError(`${name}: the header's entry for ${shortened(key)} is malformed; download it again.`);
      }
      entries.set(key, entry.data);
    }
  }
  return entries;
}

/** What a broken file says may be long, and may hold line ends: one short line of it. */
function shortened(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 120);
}

/** Every tensor inside the file, none over another, each as long as its shape says. */
function checkLayout(entries: ReadonlyMap<string, TensorEntry>, dataBytes: number, name: string): void {
  let end = 0;
  const byOffset = [...entries].sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]);
  for (const [key, { dtype, shape, data_offsets: [from, to] }] of byOffset) {
    const tensor = shortened(key);
    if (from > to || to > dataBytes) {
      throw new InputError(`${name}: ${tensor} ends at byte ${to} of ${dataBytes}; the file is truncated, download it again.`);
    }
    if (from < end) {
      throw new InputError(`${name}: ${tensor} overlaps another tensor at byte ${from}; download it again.`);
    }
    // A tensor of another type may lie in the file as long as nothing reads it.
    const expected = isSupported(dtype) ? elementBytes[dtype] * elementsOf(shape) : to - from;
    if (to - from !== expected) {
      throw new InputError(`${name}: ${tensor} of shape [${shape.join(', ')}] needs ${expected} bytes but has ${to - from}; download it again.`);
    }
    end = to;
  }
}

function isSupported(dtype: string): dtype is keyof typeof elementBytes {
  return Object.hasOwn(elementBytes, dtype);
}

/** Fills `target` from a file. @throws InputError where the file ends before */
async function readInto(file: FileHandle, position: number, target: Uint8Array, name: string): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const { bytesRead } = await file.read(target, done, Math.min(target.length - done, pieceBytes), position + done);
    if (bytesRead === 0) {
      throw new InputError(`${name} ended at byte ${position + done}; the file is truncated, download it again.`);
    }
    done += bytesRead;
  }
}
