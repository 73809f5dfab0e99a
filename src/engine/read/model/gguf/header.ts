import { InputError } from '../../../../core/errors';
import { formatBytes } from '../../../../core/format';
import { said, text } from '../../../../core/l10n';
import { quoted, shown } from '../../../../core/text/printable';
import { openRegularFile, readInto } from '../../input/regular-file';
import { type Metadata, type MetadataValue, StoredTexts, type WantedKeys } from './metadata';
import { bytesOf } from './types';

export type { MetadataValue } from './metadata';

/** A tensor's place in its file. */
export interface GgufTensor {
  readonly name: string;
  /** The fastest axis first. */
  readonly shape: readonly number[];
  readonly elements: number;
  /** As `ggml_type` numbers it. */
  readonly type: number;
  /** The byte of its file at which it begins. */
  readonly at: number;
}

/** What a GGUF file says before its tensors. */
export interface GgufHeader {
  readonly metadata: Metadata;
  readonly tensors: readonly GgufTensor[];
}

const none: WantedKeys = () => false;

/** Most bytes of a header. The largest published ones have 16 MiB: vocabularies of 262,144 tokens, or merges of 450,000. */
const maximumHeaderBytes = 64 * 1024 * 1024;
/** Bytes of the first piece that is read, and how much larger each next one is. */
const firstPieceBytes = 256 * 1024;
const growth = 8;

/** Limits of what a header may list: each is several times what published models have. */
export const maximumTensors = 65_536;
const maximumKeys = 65_536;
const maximumKeyBytes = 1024;
/** Texts and lists that are longer are passed over. */
const keptTextBytes = 1024;
const keptElements = 8192;
const maximumAxes = 8;

/**
 * Reads the header of a GGUF file, and nothing behind it.
 *
 * @param name named in errors
 * @param wanted keys whose values are kept whole
 * @throws InputError if it is no GGUF file, is truncated, or its header lies
 */
export async function readGgufHeader(path: string, name: string, wanted: WantedKeys = none): Promise<GgufHeader> {
  const { file, size } = await openRegularFile(path, text("give the model's .gguf file"));
  try {
    for (let length = firstPieceBytes; ; length *= growth) {
      const bytes = new Uint8Array(Math.min(length, size, maximumHeaderBytes));
      await readInto(file, 0, bytes, name);
      const header = parseGgufHeader(bytes, size, name, wanted);
      if (header !== undefined) {
        return header;
      }
      if (bytes.length >= maximumHeaderBytes) {
        throw new InputError(
          `${name} has a header of more than ${formatBytes(maximumHeaderBytes)}, which is the limit; use another model.`,
        );
      }
    }
  } finally {
    await file.close();
  }
}

/**
 * Parses the header of a GGUF file, version 2 or 3 (`docs/gguf.md` of ggml).
 *
 * @param bytes the beginning of the file
 * @param size bytes of the whole file
 * @param name named in errors
 * @param wanted keys whose values are kept whole; lists of texts among them keep `bytes`
 * @returns undefined if the header is longer than `bytes`
 * @throws InputError that says what is wrong
 */
export function parseGgufHeader(bytes: Uint8Array, size: number, name: string, wanted: WantedKeys = none): GgufHeader | undefined {
  try {
    return new HeaderReader(bytes, name, wanted).read(size);
  } catch (error) {
    if (!(error instanceof MoreNeeded)) {
      throw error;
    }
    if (bytes.length < size) {
      return undefined;
    }
    throw new InputError(`${name} ends within its header, at byte ${size}; the file is truncated, download it again.`);
  }
}

/** The header goes on behind the bytes that there are. */
class MoreNeeded extends Error {}

/** GGUF's numbers for the types of values; of those below 8 and above 9, the bytes. */
const valueBytes: readonly number[] = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];
const boolType = 7;
const textType = 8;
const listType = 9;

class HeaderReader {
  private at = 0;
  private readonly view: DataView;
  private readonly utf8 = new TextDecoder();

  constructor(
    private readonly bytes: Uint8Array,
    private readonly name: string,
    private readonly wanted: WantedKeys,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  read(size: number): GgufHeader {
    if (size < 4 || this.uint32() !== 0x46554747) {
      this.refuse(said`${this.shownName} is no GGUF file: it does not begin with GGUF; give a model's folder, or its .gguf file.`);
    }
    const version = this.uint32();
    if (version !== 2 && version !== 3) {
      this.refuse(
        version % 65_536 === 0
          ? said`${this.shownName} is a GGUF file of the other byte order, and versions 2 and 3 are read; convert the model again.`
          : said`${this.shownName} is a GGUF file of version ${version}, and versions 2 and 3 are read; convert the model again.`,
      );
    }
    const tensorCount = this.count('tensors', maximumTensors);
    const keyCount = this.count('keys', maximumKeys);
    const metadata = new Map<string, MetadataValue>();
    for (let index = 0; index < keyCount; index += 1) {
      const key = this.key(text('a key'));
      if (metadata.has(key)) {
        this.refuse(said`${this.shownName} has the key ${quoted(key)} twice; download it again.`);
      }
      const value = this.value(this.uint32(), key);
      metadata.set(key, value ?? { length: 0, values: undefined });
    }
    const tensors = this.tensors(tensorCount);
    return { metadata, tensors: this.placed(tensors, metadata.get('general.alignment') ?? 32, size) };
  }

  /** The tensors, each with its distance from the first byte behind the header as its place. */
  private tensors(count: number): GgufTensor[] {
    const names = new Set<string>();
    return Array.from({ length: count }, () => {
      const name = this.key(text('a tensor'));
      if (names.has(name)) {
        this.refuse(said`${this.shownName} has the tensor ${quoted(name)} twice; download it again.`);
      }
      names.add(name);
      const axes = this.uint32();
      if (axes > maximumAxes) {
        this.refuse(
          said`${this.shownName} has the tensor ${quoted(name)} with ${axes} axes, and ${maximumAxes} are allowed; download it again.`,
        );
      }
      const shape = Array.from({ length: axes }, () => this.uint64());
      const elements = shape.reduce((product, axis) => product * axis, 1);
      if (!Number.isSafeInteger(elements)) {
        this.refuse(said`${this.shownName} has the tensor ${quoted(name)} with more elements than can be counted; download it again.`);
      }
      return { name, shape, elements, type: this.uint32(), at: this.uint64() };
    });
  }

  /** The tensors at their places in the file. Every one must lie inside it and overlap no other, as far as the bytes of its type are known. */
  private placed(tensors: readonly GgufTensor[], alignment: MetadataValue, size: number): GgufTensor[] {
    if (typeof alignment !== 'number' || !Number.isInteger(alignment) || alignment < 1 || alignment > 1_048_576) {
      this.refuse(said`${this.shownName} has a general.alignment that is none; download it again.`);
    }
    const start = Math.ceil(this.at / alignment) * alignment;
    const placed = tensors.map((tensor) => ({ ...tensor, at: start + tensor.at }));
    let last = start;
    for (const { name, shape, elements, type, at } of [...placed].sort((one, other) => one.at - other.at)) {
      const bytes = bytesOf(type, elements, shape[0] ?? 1);
      if (Number.isNaN(bytes)) {
        this.refuse(
          said`${this.shownName} has the tensor ${quoted(name)} with rows of ${shape[0]} elements, which its type cannot store; download it again.`,
        );
      }
      const end = at + (bytes ?? 0);
      if (end > size) {
        this.refuse(
          said`${this.shownName} has the tensor ${quoted(name)} up to byte ${end} of ${size}; the file is truncated, download it again.`,
        );
      }
      if (at < last) {
        this.refuse(said`${this.shownName} has the tensor ${quoted(name)} at byte ${at}, within another tensor; download it again.`);
      }
      last = end;
    }
    return placed;
  }

  /** A value of a type; undefined for one that is passed over. */
  private value(type: number, key: string): MetadataValue | undefined {
    const isWanted = this.wanted(key);
    if (type === textType) {
      const length = this.uint64();
      const from = this.skip(length);
      return isWanted || length <= keptTextBytes ? this.text(from, length) : undefined;
    }
    if (type !== listType) {
      return this.scalar(type, key);
    }
    const inner = this.uint32();
    const length = this.uint64();
    if (inner === textType) {
      const first = this.at;
      for (let index = 0; index < length; index += 1) {
        this.skip(this.uint64());
      }
      return isWanted ? { length, values: undefined, texts: new StoredTexts(this.bytes, first, length) } : { length, values: undefined };
    }
    const each = valueBytes[inner] ?? 0;
    if (each === 0) {
      this.refuse(said`${this.shownName} has the key ${quoted(key)} as a list of type ${inner}, which is none; download it again.`);
    }
    const end = this.skip(length * each) + length * each;
    if (length > keptElements && !isWanted) {
      return { length, values: undefined };
    }
    this.at = end - length * each;
    return { length, values: Array.from({ length }, () => this.scalar(inner, key)) };
  }

  private scalar(type: number, key: string): number | boolean {
    const from = this.skip(valueBytes[type] ?? 0);
    switch (type) {
      case 0:
        return this.view.getUint8(from);
      case 1:
        return this.view.getInt8(from);
      case 2:
        return this.view.getUint16(from, true);
      case 3:
        return this.view.getInt16(from, true);
      case 4:
        return this.view.getUint32(from, true);
      case 5:
        return this.view.getInt32(from, true);
      case 6:
        return this.view.getFloat32(from, true);
      case boolType:
        return this.view.getUint8(from) !== 0;
      case 10:
        return Number(this.view.getBigUint64(from, true));
      case 11:
        return Number(this.view.getBigInt64(from, true));
      case 12:
        return this.view.getFloat64(from, true);
      default:
        return this.refuse(said`${this.shownName} has the key ${quoted(key)} of type ${type}, which is none; download it again.`);
    }
  }

  /** A name of a key or a tensor. */
  private key(what: string): string {
    const length = this.uint64();
    if (length > maximumKeyBytes) {
      this.refuse(
        said`${this.shownName} has ${what} with a name of ${length} bytes, and ${maximumKeyBytes} are allowed; download it again.`,
      );
    }
    return this.text(this.skip(length), length);
  }

  private count(what: 'keys' | 'tensors', most: number): number {
    const count = this.uint64();
    if (count > most) {
      this.refuse(
        what === 'keys'
          ? said`${this.shownName} declares ${count} keys, and ${most} are allowed; download it again.`
          : said`${this.shownName} declares ${count} tensors, and ${most} are allowed; download it again.`,
      );
    }
    return count;
  }

  private text(from: number, length: number): string {
    return this.utf8.decode(this.bytes.subarray(from, from + length));
  }

  private uint32(): number {
    return this.view.getUint32(this.skip(4), true);
  }

  /** Numbers past the safe integers cannot be lengths of anything in a file: they lose their last bits, and stay too large. */
  private uint64(): number {
    const from = this.skip(8);
    return this.view.getUint32(from, true) + 4_294_967_296 * this.view.getUint32(from + 4, true);
  }

  /** Goes on by some bytes. @returns where they begin @throws MoreNeeded */
  private skip(bytes: number): number {
    const from = this.at;
    if (from + bytes > this.bytes.length) {
      throw new MoreNeeded();
    }
    this.at = from + bytes;
    return from;
  }

  private get shownName(): string {
    return shown(this.name, 120);
  }

  private refuse(message: string): never {
    throw new InputError(message);
  }
}
