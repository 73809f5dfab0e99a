import { basename } from 'node:path';
import { InputError } from '../../../../core/errors';
import { text } from '../../../../core/l10n';
import { keptFloatBytes } from '../../../../core/plan/weight-bytes';
import { quoted, shown } from '../../../../core/text/printable';
import { UnchangedFile } from '../../input/regular-file';
import type { TensorPart, TensorSource } from '../tensor-source';
import { type PackedMatrix, pickRows } from '../packed';
import { allocate, checkFinite, elementsOf, PackedWeight, transpose, type Weight } from '../weights';
import { decode, isRead, typeFix } from './decode';
import type { MetadataValue } from './header';
import { besides, type Change, checkpointName } from './names';
import { packedBytes, PackedReader, staysPacked } from './packed-blocks';
import { mainType, type PlacedTensor, readGguf } from './parts';
import { blockOf, typeName } from './types';

/** Most bytes of a tensor that are read at once. */
const pieceBytes = 256 * 1024;

/** No model has as many experts in a layer: a header that says so must not make as many names. */
const maximumExperts = 4096;

/** How many heads there are, which the order of rows depends on. */
type HeadCounts = Readonly<Record<'heads' | 'keyValueHeads', number>>;

/** A tensor of the checkpoint in a GGUF file: all of one of the file's tensors, or an expert's part of it. */
interface Stored {
  readonly tensor: PlacedTensor;
  readonly change: Change;
  readonly shape: readonly number[];
  readonly first: number;
  /** The tensor with its other columns, where it has only every second one. */
  readonly others?: Stored;
}

/** The tensors of a GGUF model under the names and in the layouts of the checkpoint that it was made from. */
export class GgufTensors implements TensorSource {
  private constructor(
    private readonly files: ReadonlyMap<string, UnchangedFile>,
    private readonly stored: ReadonlyMap<string, Stored>,
    private readonly counts: HeadCounts,
    readonly mainType: string | undefined,
  ) {}

  /** Reads which tensors a model has. @throws InputError if a file is missing or broken */
  static async open(path: string): Promise<GgufTensors> {
    const { metadata, tensors } = await readGguf(path);
    const named = metadata.get('general.architecture');
    const architecture = typeof named === 'string' ? named : '';
    const heads = firstNumber(metadata.get(`${architecture}.attention.head_count`)) ?? 1;
    const keyValueHeads = firstNumber(metadata.get(`${architecture}.attention.head_count_kv`)) ?? heads;
    const stored = new Map<string, Stored>();
    for (const tensor of tensors.filter(({ name }) => !besides.test(name))) {
      for (const [name, one] of inCheckpoint(architecture, tensor)) {
        const known = stored.get(name);
        if (known !== undefined && isOtherHalf(known, one)) {
          stored.set(name, joined(known, one));
          continue;
        }
        if (known !== undefined) {
          throw new InputError(
            `${basename(tensor.file)} has ${quoted(tensor.name)} beside another tensor that is ${name}; use another file.`,
          );
        }
        stored.set(name, one);
      }
    }
    const files = new Map<string, UnchangedFile>();
    for (const { file } of tensors) {
      files.set(file, files.get(file) ?? (await findFile(file)));
    }
    return new GgufTensors(files, stored, { heads, keyValueHeads }, mainType(tensors));
  }

  get names(): Iterable<string> {
    return this.stored.keys();
  }

  shapeOf(tensor: string): readonly number[] | undefined {
    return this.stored.get(tensor)?.shape;
  }

  packedBytesOf(tensor: string): number | undefined {
    const stored = this.stored.get(tensor);
    return stored !== undefined && stored.others === undefined && isKeptPacked(stored)
      ? packedBytes(stored.tensor.type, elementsOf(stored.shape))
      : undefined;
  }

  checkType(tensor: string): void {
    const stored = this.stored.get(tensor);
    for (const one of [stored, stored?.others]) {
      if (one !== undefined) {
        checkType(one.tensor);
      }
    }
  }

  hasRows(tensor: string): boolean {
    const stored = this.stored.get(tensor);
    const { rows, transposed, columns, added } = stored?.change ?? {};
    const isPlain = rows === undefined && transposed !== true && columns === undefined && (added ?? 0) === 0;
    return stored?.shape.length === 2 && isPlain && stored.shape[1] % blockOf(stored.tensor.type).elements === 0;
  }

  read(tensor: string, { row, into }: TensorPart = {}): Weight {
    const stored = this.stored.get(tensor);
    if (stored === undefined) {
      throw new InputError(`The GGUF file lacks ${shown(tensor)}; use another file of the model.`);
    }
    const { others, shape, first, ...own } = stored;
    if (row !== undefined) {
      return this.readOne({ ...own, shape: [1, shape[1]], first: first + row * shape[1] }, into);
    }
    return others === undefined
      ? this.readOne(stored, into)
      : inTurn(this.readOne({ ...own, first, shape: others.shape }, undefined), this.readOne(others, undefined));
  }

  private readOne(stored: Stored, into: Float32Array | undefined): Weight {
    const { tensor, change, shape, first } = stored;
    const file = this.files.get(tensor.file);
    if (file === undefined) {
      throw new RangeError(`No file ${tensor.file} was looked at.`);
    }
    if (isKeptPacked(stored)) {
      const matrix = readPacked(file, tensor, first, shape);
      const order = change.rows && orderOf(change.rows, shape[0], this.counts, tensor);
      return new PackedWeight(order === undefined ? matrix : pickRows(matrix, order));
    }
    const data = readValues(file, tensor, first, elementsOf(shape), into);
    return undone({ shape: change.transposed ? turned(shape) : shape, data }, change, this.counts, tensor);
  }
}

/** Whether a tensor stays packed: its blocks are those of the checkpoint's rows. */
function isKeptPacked({ tensor, change, shape }: Stored): boolean {
  return staysPacked(tensor.type, shape) && change.transposed !== true && change.columns === undefined && (change.added ?? 0) === 0;
}

/** Bytes that a parameter takes in memory on average, where some of a file's tensors stay packed; undefined where none do. */
export function bytesPerWeight(architecture: string, tensors: readonly PlacedTensor[]): number | undefined {
  let [bytes, elements, floats] = [0, 0, 0];
  for (const tensor of tensors.filter(({ name }) => !besides.test(name))) {
    for (const [, stored] of inCheckpoint(architecture, tensor)) {
      const count = elementsOf(stored.shape);
      elements += count;
      if (isKeptPacked(stored)) {
        bytes += packedBytes(tensor.type, count);
      } else {
        floats += count;
      }
    }
  }
  return bytes === 0 ? undefined : (bytes + keptFloatBytes(floats)) / elements;
}

/** The tensors of the checkpoint that a tensor of the file holds, by name. */
function inCheckpoint(architecture: string, tensor: PlacedTensor): [name: string, stored: Stored][] {
  const { name, change } = checkpointName(architecture, tensor.name) ?? { name: tensor.name, change: {} };
  const shape = [...tensor.shape].reverse();
  if (!name.includes('{}') || shape[0] > maximumExperts) {
    return [[name, { tensor, change, shape: change.transposed ? turned(shape) : shape, first: 0 }]];
  }
  const [experts, ...own] = shape;
  const size = elementsOf(own);
  return Array.from({ length: experts }, (_, expert) => [
    name.replace('{}', String(expert)),
    { tensor, change, shape: own, first: expert * size },
  ]);
}

/** The shape of a matrix, or of a stack of them, with the last two axes in the other order. */
function turned(shape: readonly number[]): readonly number[] {
  return [...shape.slice(0, -2), ...shape.slice(-2).reverse()];
}

/** Whether two tensors have the even and the odd columns of one. */
function isOtherHalf(one: Stored, other: Stored): boolean {
  const [first, second] = [one.change.columns, other.change.columns];
  return (
    one.others === undefined && first !== undefined && second !== undefined && first !== second && one.shape.join() === other.shape.join()
  );
}

/** The tensor of which two have the even and the odd columns. */
function joined(one: Stored, other: Stored): Stored {
  const [even, odd] = one.change.columns === 0 ? [one, other] : [other, one];
  return { ...even, shape: [...even.shape.slice(0, -1), 2 * (even.shape.at(-1) ?? 0)], others: odd };
}

/** Columns of two weights in turn. */
function inTurn({ shape, data: even }: Weight, { data: odd }: Weight): Weight {
  const data = allocate(text('A tensor of experts'), 2 * even.length);
  even.forEach((value, index) => (data[2 * index] = value));
  odd.forEach((value, index) => (data[2 * index + 1] = value));
  return { shape: [...shape.slice(0, -1), 2 * (shape.at(-1) ?? 0)], data };
}

/** Each matrix of a stack transposed, or the one that there is. */
function transposeEach({ shape, data }: Weight): Weight {
  const matrix = shape.slice(-2);
  const size = elementsOf(matrix);
  const all = allocate(text('A tensor of experts'), data.length);
  for (let first = 0; first < data.length; first += size) {
    all.set(transpose({ shape: matrix, data: data.subarray(first, first + size) }).data, first);
  }
  return { shape: turned(shape), data: all };
}

/** Refuses a tensor of a type that is not read. @throws InputError that names the way out */
function checkType({ name, type, file }: PlacedTensor): void {
  if (!isRead(type)) {
    throw new InputError(`${shown(basename(file), 100)}: ${shown(name)} is stored as ${typeName(type)}; ${typeFix}.`);
  }
}

/** Looks at a file of a model. @throws InputError if it cannot be read */
export function findFile(path: string): Promise<UnchangedFile> {
  return UnchangedFile.find(path, text("give the model's .gguf file"));
}

/** Reads blocks of a tensor piece by piece. @param each takes whole blocks, and how many of them came before */
function readBlocks(
  file: UnchangedFile,
  tensor: PlacedTensor,
  first: number,
  count: number,
  each: (bytes: Uint8Array, blocksBefore: number) => void,
): void {
  const { bytes, elements } = blockOf(tensor.type);
  const start = tensor.at + (first / elements) * bytes;
  const piece = bytes * Math.max(1, Math.floor(pieceBytes / bytes));
  file.readPieces(start, start + (count / elements) * bytes, piece, nameIn(tensor), (part, before) => each(part, before / bytes));
}

/** Reads a matrix as codes. @throws InputError if the file ends early, or a scale is NaN or infinite */
function readPacked(file: UnchangedFile, tensor: PlacedTensor, first: number, [rows, columns]: readonly number[]): PackedMatrix {
  const reader = new PackedReader(tensor.type, [rows, columns]);
  readBlocks(file, tensor, first, rows * columns, (bytes) => reader.take(bytes));
  const { scales, minima } = reader.matrix;
  checkFinite(nameIn(tensor), scales);
  if (minima !== undefined) {
    checkFinite(nameIn(tensor), minima);
  }
  return reader.matrix;
}

function nameIn({ name, file }: PlacedTensor): string {
  return `${shown(basename(file), 100)}: ${shown(name)}`;
}

/**
 * Reads numbers of a tensor as float32, exactly those that llama.cpp computes with.
 *
 * @param first the first one, at the beginning of a block, and `count` of them, whole blocks
 * @param into memory that they may overwrite, where it is as long as they are
 * @throws InputError if its type is not read, the file ends early, or a number is NaN or infinite
 */
export function readValues(file: UnchangedFile, tensor: PlacedTensor, first: number, count: number, into?: Float32Array): Float32Array {
  checkType(tensor);
  const data = into?.length === count ? into : allocate(nameIn(tensor), count);
  const { elements, bytes: size } = blockOf(tensor.type);
  if (typeName(tensor.type) === 'F32') {
    // The bytes are float32 already: they are read into place.
    file.readInto(tensor.at + first * size, new Uint8Array(data.buffer, data.byteOffset, data.byteLength), nameIn(tensor));
  } else {
    readBlocks(file, tensor, first, count, (bytes, before) => {
      const from = before * elements;
      decode(tensor.type, bytes, data.subarray(from, from + (bytes.length / size) * elements));
    });
  }
  checkFinite(nameIn(tensor), data);
  return data;
}

/** A weight as it was before its conversion. @throws InputError if its rows are not those of whole heads */
function undone(weight: Weight, { transposed, rows, added = 0 }: Change, counts: HeadCounts, tensor: PlacedTensor): Weight {
  const { shape, data } = transposed ? transposeEach(weight) : weight;
  if (added !== 0) {
    data.forEach((value, index) => (data[index] = value - added));
  }
  if (rows === undefined) {
    return { shape, data };
  }
  const [length, ...rest] = shape;
  const size = elementsOf(rest);
  const ordered = allocate(nameIn(tensor), data.length);
  orderOf(rows, length, counts, tensor).forEach((row, to) => ordered.set(data.subarray(row * size, (row + 1) * size), to * size));
  return { shape, data: ordered };
}

/** Rows of the file in the order of the checkpoint. @throws InputError if they are not those of whole heads */
function orderOf(rows: NonNullable<Change['rows']>, length: number, counts: HeadCounts, { name, file }: PlacedTensor): readonly number[] {
  const heads = counts[rows.heads];
  const headWidth = rows.order === 'pairs' ? length / heads : length / heads / 3;
  if (!Number.isInteger(headWidth) || (rows.order === 'pairs' && headWidth % 2 !== 0)) {
    throw new InputError(`${shown(basename(file), 100)}: ${shown(name)} has ${length} rows for ${heads} heads; use another file.`);
  }
  const order = new Array<number>(length);
  for (let row = 0; row < length; row += 1) {
    order[rows.order === 'pairs' ? halvesRow(row, headWidth) : headRow(row, headWidth, heads)] = row;
  }
  return order;
}

/** Where a row of neighbours 0, m/2, 1, m/2 + 1, ... of a head of width m is among 0, 1, 2, ... */
function halvesRow(row: number, headWidth: number): number {
  const column = row % headWidth;
  return row - column + Math.floor(column / 2) + (column % 2) * (headWidth / 2);
}

/** Where a row of all heads' queries, then keys, then values is, where those of each head follow one another. */
function headRow(row: number, headWidth: number, heads: number): number {
  const [part, head, column] = [Math.floor(row / headWidth / heads), Math.floor(row / headWidth) % heads, row % headWidth];
  return (3 * head + part) * headWidth + column;
}

function firstNumber(value: MetadataValue | undefined): number | undefined {
  const number = typeof value === 'object' ? value.values?.[0] : value;
  return typeof number === 'number' && Number.isInteger(number) && number > 0 ? number : undefined;
}
