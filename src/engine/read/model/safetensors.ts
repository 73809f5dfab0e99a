import { basename } from 'node:path';
import { InputError } from '../../../core/errors';
import { text } from '../../../core/l10n';
import { shown } from '../../../core/text/printable';
import { openRegularFile, UnchangedFile } from '../input/regular-file';
import { widen } from './float16';
import { elementBytes, isSupported, readHeader, type TensorEntry } from './safetensors-header';
import type { TensorPart } from './tensor-source';
import { allocate, checkFinite, type Weight } from './weights';

/** Bytes of a tensor that are read at once where they are widened: they stay in the caches of a processor. */
const smallPiece = 256 * 1024;

/** A safetensors file with a validated header; tensors are read one by one, whenever they are asked for, as float32. */
export class SafetensorsFile {
  private constructor(
    private readonly file: UnchangedFile,
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
    const { file, size } = await openRegularFile(path, text("put the model's safetensors file there"));
    try {
      const { entries, dataStart } = await readHeader(file, size, name);
      return new SafetensorsFile(await UnchangedFile.of(path, file), name, dataStart, entries);
    } finally {
      await file.close();
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

  /** Whether rows of a tensor can be read alone: those of a matrix. */
  hasRows(tensor: string): boolean {
    return this.shapeOf(tensor)?.length === 2;
  }

  /**
   * Reads a tensor (F16, BF16 or F32), or a row of a matrix, as float32.
   *
   * @throws InputError if its type is not supported or one of its numbers is NaN or infinite
   */
  read(tensor: string, { row, into }: TensorPart = {}): Weight {
    const {
      dtype,
      shape,
      data_offsets: [first, last],
    } = this.entries.get(tensor) ?? this.refuseMissing(tensor);
    if (!isSupported(dtype)) {
      return this.refuseType(tensor, dtype);
    }
    const size = elementBytes[dtype];
    const rowBytes = size * (shape[1] ?? 1);
    const [from, to] = row === undefined ? [first, last] : [first + row * rowBytes, first + (row + 1) * rowBytes];
    const count = (to - from) / size;
    const name = `${this.name}: ${shown(tensor)}`;
    const data = into?.length === count ? into : allocate(name, count);
    const start = this.dataStart + from;
    if (dtype === 'F32') {
      // The bytes are float32 already: read them directly into place.
      this.file.readInto(start, new Uint8Array(data.buffer, data.byteOffset, data.byteLength), this.name);
    } else {
      this.file.readPieces(start, start + to - from, smallPiece, this.name, (piece, before) =>
        widen(dtype, piece, data.subarray(before / size, (before + piece.length) / size)),
      );
    }
    checkFinite(name, data);
    return { shape: row === undefined ? shape : [1, shape[1]], data };
  }

  /**
   * Reads the bytes of a tensor as they are stored: a part of a quantised weight.
   *
   * @throws InputError if it does not exist or cannot be read
   */
  readBytes(tensor: string): Uint8Array {
    const {
      data_offsets: [from, to],
    } = this.entries.get(tensor) ?? this.refuseMissing(tensor);
    const bytes = new Uint8Array(allocate(`${this.name}: ${shown(tensor)}`, Math.ceil((to - from) / 4)).buffer, 0, to - from);
    this.file.readInto(this.dataStart + from, bytes, this.name);
    return bytes;
  }

  private refuseMissing(tensor: string): never {
    throw new InputError(`${this.name} lacks ${shown(tensor)}; it does not belong to this config.json.`);
  }
}
