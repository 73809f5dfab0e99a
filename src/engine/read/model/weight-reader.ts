import { InputError } from '../../../core/errors';
import { keptFloatBytes } from '../../../core/plan/weight-bytes';
import { shown } from '../../../core/text/printable';
import { pickRows } from './packed';
import type { TensorPart, TensorSource } from './tensor-source';
import {
  type Checkpoint,
  elementsOf,
  FileWeight,
  PackedWeight,
  parametersOf,
  type StoredWeight,
  storedWeights,
  type StoredWeights,
  transpose,
  type Weight,
  type Weights,
} from './weights';

/** Weights that are rows or experts of the same tensors, and are read one after another. */
type Owner = object;

/**
 * Reads weights from a checkpoint. Matrices of a large model stay in the files, and are read there whenever they are asked for
 * (`keptFloatBytes`); so do those that are integer codes, which a run has in its sessions.
 */
export class WeightReader {
  /** Tensors in the layout of weights, of which several weights are parts, of the latest owner. */
  private readonly shared = new Map<string, Weight>();
  private owner: Owner | undefined;
  /** Weights that are whole tensors: an output head may be the embedding. */
  private readonly whole = new Map<string, Weight>();
  private readonly keepsFloats: boolean;

  /** @param keepsFloats whether what is not packed stays in memory; by its size, by default */
  constructor(
    private readonly files: TensorSource,
    private readonly checkpoint: Checkpoint,
    keepsFloats?: boolean,
  ) {
    this.keepsFloats = keepsFloats ?? keptFloatBytes(this.floats) > 0;
  }

  /** Names in the files of all tensors that the checkpoint's model reads. */
  get names(): ReadonlySet<string> {
    return new Set(
      storedWeights(this.checkpoint).flatMap(({ tensor, unless }) =>
        [tensor, ...(unless === undefined ? [] : [unless])].map((name) => this.nameOf(name)),
      ),
    );
  }

  /** Bytes that weights take in memory: those that stay there, and of those in the files the largest layer, embedding or head. */
  get bytes(): number {
    const packed = this.tensors.reduce((sum, [, , bytes]) => sum + (bytes ?? 0), 0);
    const { embedding, layers, head } = this.checkpoint;
    const none = { ...this.checkpoint, embedding: {}, layers: [], head: {} };
    const parts = [{ ...none, embedding }, { ...none, head }, ...layers.map((layer) => ({ ...none, layers: [layer] }))];
    return packed + keptFloatBytes(this.floats, Math.max(...parts.map(parametersOf)));
  }

  /** Numbers that become float32. */
  private get floats(): number {
    return this.tensors.reduce((sum, [, shape, bytes]) => sum + (bytes === undefined ? elementsOf(shape) : 0), 0);
  }

  /** Each tensor once, with its shape, and the bytes that it takes where it stays packed. */
  private get tensors(): readonly (readonly [string, readonly number[], number | undefined])[] {
    const shapes = new Map(storedWeights(this.checkpoint).map(({ tensor, shape }) => [tensor, shape]));
    return [...shapes].map(([tensor, shape]) => [tensor, shape, this.files.packedBytesOf?.(this.nameOf(tensor))]);
  }

  /** Looks for every weight. @throws InputError if one is missing, of another shape, or of a type that is not read */
  check(): void {
    for (const stored of storedWeights(this.checkpoint)) {
      this.files.checkType(this.found(stored));
    }
  }

  /**
   * Reads some weights, all of them, to see that they are sound.
   *
   * @throws InputError if one is missing, broken, or not of the shape that the configuration implies
   */
  all<Name extends string>(weights: StoredWeights<Name>): Weights<Name> {
    const read = Object.entries(weights as Readonly<Record<string, StoredWeight>>).map(([name, weight]) => [
      name,
      this.one(weight, weights),
    ]);
    return Object.fromEntries(read) as Weights<Name>;
  }

  /** A weight as it is kept: in memory, or as a place in the files. */
  private one(weight: StoredWeight, owner: Owner): Weight {
    const stored = this.chosen(weight);
    const isWhole = partsOf(stored).length === 0;
    const known = isWhole ? this.whole.get(stored.tensor) : undefined;
    if (known !== undefined) {
      return known;
    }
    const read = this.read(stored, owner);
    const kept = this.staysInFile(read) ? this.inFile(stored, owner, read, isWhole) : read;
    if (isWhole) {
      this.whole.set(stored.tensor, kept);
    }
    return kept;
  }

  private staysInFile({ shape, codeBits }: Weight): boolean {
    return shape.length === 2 && (codeBits !== undefined || !this.keepsFloats);
  }

  private inFile(stored: StoredWeight, owner: Owner, { shape, codeBits }: Weight, isWhole: boolean): Weight {
    const hasRows = isWhole && stored.transposed !== true && this.files.hasRows?.(this.nameOf(stored.tensor)) === true;
    return new FileWeight(shape, codeBits, (part) => this.read(stored, owner, part), hasRows);
  }

  /** The tensor that counts: an output head that is tied may be stored as well. */
  private chosen({ unless, ...usual }: StoredWeight): StoredWeight {
    if (unless === undefined || this.files.shapeOf(this.nameOf(unless)) === undefined) {
      return usual;
    }
    // Most such heads are the embedding once more: one of them is enough to keep.
    const own = { ...usual, tensor: unless };
    const [ownData, tiedData] = [own, usual].map((each) => this.files.read(this.found(each)).data);
    return ownData.every((value, index) => value === tiedData[index]) ? usual : own;
  }

  private read(weight: StoredWeight, owner: Owner, part: TensorPart = {}): Weight {
    const { offset, neighbours } = weight;
    const rows = this.rows(weight, owner, part);
    const apart = neighbours === undefined ? rows : pairsApart(rows, neighbours);
    return offset === undefined ? apart : { shape: apart.shape, data: apart.data.map((x) => x + offset) };
  }

  private rows(weight: StoredWeight, owner: Owner, part: TensorPart): Weight {
    const whole = weight.expert === undefined ? this.tensor(weight, owner, part) : this.expert(weight, weight.expert, owner);
    if (weight.rows === undefined) {
      return whole;
    }
    const [from, to] = weight.rows;
    const { packed } = whole;
    if (packed !== undefined) {
      const { every = packed.shape[0] } = weight;
      const all = Array.from({ length: packed.shape[0] }, (_, row) => row);
      return new PackedWeight(
        pickRows(
          packed,
          all.filter((row) => row % every >= from && row % every < to),
        ),
      );
    }
    const rowSize = elementsOf(whole.shape.slice(1));
    const ofGroup = (first: number): Float32Array => whole.data.subarray((first + from) * rowSize, (first + to) * rowSize);
    const { every = whole.shape[0] } = weight;
    const groups = whole.shape[0] / every;
    const size = (to - from) * rowSize;
    const data = groups === 1 ? ofGroup(0) : new Float32Array(groups * size);
    for (let group = 0; groups > 1 && group < groups; group += 1) {
      data.set(ofGroup(group * every), group * size);
    }
    return { shape: [groups * (to - from), ...whole.shape.slice(1)], data };
  }

  /** One matrix or bias of a stack. */
  private expert({ transposed, ...stored }: StoredWeight, index: number, owner: Owner): Weight {
    const {
      shape: [, ...shape],
      data,
    } = this.tensor(stored, owner, {});
    const size = elementsOf(shape);
    const one = { shape, data: data.subarray(index * size, (index + 1) * size) };
    return transposed === true ? transpose(one) : one;
  }

  /** A tensor in the layout of weights. One that has several weights is kept as long as those of its owner are read. */
  private tensor(weight: StoredWeight, owner: Owner, part: TensorPart): Weight {
    const { tensor, transposed } = weight;
    if (partsOf(weight).length === 0) {
      const stored = this.files.read(this.found(weight), part);
      return transposed === true ? transpose(stored) : stored;
    }
    if (this.owner !== owner) {
      this.shared.clear();
      this.owner = owner;
    }
    let known = this.shared.get(tensor);
    if (known === undefined) {
      const stored = this.files.read(this.found(weight));
      known = transposed === true ? transpose(stored) : stored;
      this.shared.set(tensor, known);
    }
    return known;
  }

  /** The name in the files of a weight's tensor. @throws InputError if it is missing, or of another shape */
  private found({ tensor, shape }: StoredWeight): string {
    const name = this.nameOf(tensor);
    const found = this.files.shapeOf(name);
    if (found === undefined) {
      throw new InputError(`The checkpoint lacks ${tensor}; it does not belong to its configuration.`);
    }
    if (found.join() !== shape.join()) {
      throw new InputError(
        `The checkpoint's ${tensor} is [${shown(found.join(', '))}] but its configuration means [${shape.join(', ')}]; correct one of them.`,
      );
    }
    return name;
  }

  /** The tensor's name in the checkpoint: with a prefix, or with early BERT's names for the parts of a norm. */
  private nameOf(tensor: string): string {
    const older = tensor.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta');
    const { prefixes, base } = this.checkpoint;
    const rest = base !== undefined && tensor.startsWith(base.name) ? tensor.slice(base.name.length) : undefined;
    const names = [...prefixes, '']
      .flatMap((prefix) => [`${prefix}${tensor}`, `${prefix}${older}`])
      .concat(rest === undefined ? [] : (base?.others ?? []).map((other) => `${other}${rest}`));
    return names.find((name) => this.files.shapeOf(name) !== undefined) ?? tensor;
  }
}

/** Rows 0, 1, 2, 3, ... of each head in the order 0, 2, ..., 1, 3, ...: queries and keys change alike, so that their products stay. */
function pairsApart(weight: Weight, headWidth: number): Weight {
  const { shape, packed } = weight;
  const order = new Array<number>(shape[0]);
  for (let row = 0; row < shape[0]; row += 1) {
    const column = row % headWidth;
    order[row - column + Math.floor(column / 2) + (column % 2) * (headWidth / 2)] = row;
  }
  if (packed !== undefined) {
    return new PackedWeight(pickRows(packed, order));
  }
  const rowSize = elementsOf(shape.slice(1));
  const apart = new Float32Array(weight.data.length);
  order.forEach((row, to) => apart.set(weight.data.subarray(row * rowSize, (row + 1) * rowSize), to * rowSize));
  return { shape, data: apart };
}

/** What makes a weight a part of its tensor, or another than that. */
function partsOf({ rows, every, expert, offset, neighbours }: StoredWeight): readonly unknown[] {
  return [rows, every, expert, offset, neighbours].filter((each) => each !== undefined);
}
