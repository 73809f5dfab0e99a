import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { InputError } from '../../../core/errors';
import { shown } from '../../../core/text/printable';
import { openRegularFile, pieceBytes, readInto } from '../input/regular-file';
import { fromBfloat16, fromFloat16 } from './float16';
import { elementBytes, isSupported, readHeader, type TensorEntry } from './safetensors-header';
import { allocate, checkFinite, type Weight } from './weights';

/**
 * A safetensors file with a validated header; tensors are read one by one, each once, as float32.
 *
 * Close it after the last one.
 */
export class SafetensorsFile {
  private constructor(
    private readonly file: FileHandle,
    private readonly name: string,
    /** Where the bytes of tensors begin. */
    private readonly dataStart: number,
    private readonly entries: ReadonlyMap<string, TensorEntry>,
  ) {}

  /**
   * Opens a file and checks its header.
   *
   * @throws InputError if it is truncated, or its header has wrong lengths, offsets or overlaps
   */
  static async open(path: string): Promise<SafetensorsFile> {
    const name = basename(path);
    const { file, size } = await openRegularFile(path, "put the model's safetensors file there");
    try {
      const { entries, dataStart } = await readHeader(file, size, name);
      return new SafetensorsFile(file, name, dataStart, entries);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Bytes of its header. */
  get headerBytes(): number {
    return this.dataStart;
  }

  /** Names of its tensors. */
  get names(): Iterable<string> {
    return this.entries.keys();
  }

  /** The shape of a tensor; undefined if it does not exist. */
  shapeOf(tensor: string): readonly number[] | undefined {
    return this.entries.get(tensor)?.shape;
  }

  /** How a tensor is stored, and in how many bytes; undefined if it does not exist. */
  storedOf(tensor: string): { readonly type: string; readonly bytes: number } | undefined {
    const entry = this.entries.get(tensor);
    return entry && { type: entry.dtype, bytes: entry.data_offsets[1] - entry.data_offsets[0] };
  }

  /** Refuses a tensor of a type that is not read. @throws InputError */
  checkType(tensor: string): void {
    const { dtype } = this.entries.get(tensor) ?? {};
    if (dtype !== undefined && !isSupported(dtype)) {
      this.refuseType(tensor, dtype);
    }
  }

  private refuseType(tensor: string, dtype: string): never {
    throw new InputError(`${this.name}: ${shown(tensor)} is stored as ${shown(dtype)}; convert the model to F32, F16 or BF16.`);
  }

  /**
   * Reads a tensor (F16, BF16 or F32) as float32.
   *
   * @throws InputError if its type is not supported or one of its numbers is NaN or infinite
   */
  async read(tensor: string): Promise<Weight> {
    const {
      dtype,
      shape,
      data_offsets: [from, to],
    } = this.entries.get(tensor) ?? this.refuseMissing(tensor);
    if (!isSupported(dtype)) {
      return this.refuseType(tensor, dtype);
    }
    const data = allocate(`${this.name}: ${shown(tensor)}`, (to - from) / elementBytes[dtype]);
    if (dtype === 'F32') {
      // The bytes are float32 already: read them directly into place.
      await readInto(this.file, this.dataStart + from, new Uint8Array(data.buffer), this.name);
    } else {
      await this.readHalves(from, to, dtype, data);
    }
    checkFinite(`${this.name}: ${shown(tensor)}`, data);
    return { shape, data };
  }

  /**
   * Reads the bytes of a tensor as they are stored: a part of a quantised weight.
   *
   * @throws InputError if it does not exist or cannot be read
   */
  async readBytes(tensor: string): Promise<Uint8Array> {
    const {
      data_offsets: [from, to],
    } = this.entries.get(tensor) ?? this.refuseMissing(tensor);
    const bytes = new Uint8Array(allocate(`${this.name}: ${shown(tensor)}`, Math.ceil((to - from) / 4)).buffer, 0, to - from);
    await readInto(this.file, this.dataStart + from, bytes, this.name);
    return bytes;
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private refuseMissing(tensor: string): never {
    throw new InputError(`${this.name} lacks ${shown(tensor)}; it does not belong to this config.json.`);
  }

  /** Reads in pieces, so that a large tensor is not in memory twice. */
  private async readHalves(from: number, to: number, dtype: 'F16' | 'BF16', data: Float32Array): Promise<void> {
    const piece = new Uint8Array(Math.min(pieceBytes, to - from));
    for (let done = 0; done < to - from; done += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, to - from - done));
      await readInto(this.file, this.dataStart + from + done, part, this.name);
      const halves = new Uint16Array(part.buffer, 0, part.length / 2);
      data.set(dtype === 'F16' ? fromFloat16(halves) : fromBfloat16(halves), done / 2);
    }
  }
}
