import { InputError } from '../../../core/errors';
import { shown } from '../../../core/text/printable';
import { pickRows } from './packed';
import type { TensorSource } from './tensor-source';
import {
  type Checkpoint,
  elementsOf,
  PackedWeight,
  type StoredLayer,
  type StoredWeight,
  storedInLayer,
  storedWeights,
  type StoredWeights,
  transpose,
  type Weight,
  type Weights,
} from './weights';

/** Reads weights from a checkpoint, each tensor once. */
export class WeightReader {
  /** Tensors in the layout of weights; several weights may be rows of the same tensor. */
  private readonly tensors = new Map<string, Weight>();

  constructor(
    private readonly files: TensorSource,
    private readonly checkpoint: Checkpoint,
  ) {}

  /** Names in the files of all tensors that the checkpoint's model reads. */
  get names(): ReadonlySet<string> {
    return new Set(
      storedWeights(this.checkpoint).flatMap(({ tensor, unless }) =>
        [tensor, ...(unless === undefined ? [] : [unless])].map((name) => this.nameOf(name)),
      ),
    );
  }

  /** Bytes that all weights take in memory. */
  get bytes(): number {
    const tensors = new Map(storedWeights(this.checkpoint).map(({ tensor, shape }) => [tensor, shape]));
    return [...tensors].reduce((sum, [tensor, shape]) => {
      return sum + (this.files.packedBytesOf?.(this.nameOf(tensor)) ?? Float32Array.BYTES_PER_ELEMENT * elementsOf(shape));
    }, 0);
  }

  /** Looks for every weight. @throws InputError if one is missing, of another shape, or of a type that is not read */
  check(): void {
    for (const stored of storedWeights(this.checkpoint)) {
      this.files.checkType(this.found(stored));
    }
  }

  /** Reads some weights. @throws InputError if one is missing, broken, or not of the shape that the configuration implies */
  async all<Name extends string>(weights: StoredWeights<Name>): Promise<Weights<Name>> {
    const read: [string, Weight][] = [];
    for (const [name, weight] of Object.entries(weights as Readonly<Record<string, StoredWeight>>)) {
      read.push([name, await this.one(weight)]);
    }
    return Object.fromEntries(read) as unknown as Weights<Name>;
  }

  /** Lets go of a layer's tensors, of which some weights may be copies: no other layer reads them. */
  forget(layer: StoredLayer): void {
    storedInLayer(layer).forEach(({ tensor }) => this.tensors.delete(tensor));
  }

  private async one(weight: StoredWeight): Promise<Weight> {
    const { offset, neighbours } = weight;
    const rows = await this.rows(weight);
    const apart = neighbours === undefined ? rows : pairsApart(rows, neighbours);
    return offset === undefined ? apart : { ...apart, data: apart.data.map((x) => x + offset) };
  }

  private async rows(weight: StoredWeight): Promise<Weight> {
    const whole = weight.expert === undefined ? await this.tensor(weight) : await this.expert(weight, weight.expert);
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
    const part = (first: number): Float32Array => whole.data.subarray((first + from) * rowSize, (first + to) * rowSize);
    const { every = whole.shape[0] } = weight;
    const groups = whole.shape[0] / every;
    const size = (to - from) * rowSize;
    const data = groups === 1 ? part(0) : new Float32Array(groups * size);
    for (let group = 0; groups > 1 && group < groups; group += 1) {
      data.set(part(group * every), group * size);
    }
    return { shape: [groups * (to - from), ...whole.shape.slice(1)], data };
  }

  /** One matrix or bias of a stack. */
  private async expert({ transposed, ...stored }: StoredWeight, index: number): Promise<Weight> {
    const {
      shape: [, ...shape],
      data,
    } = await this.read(stored);
    const size = elementsOf(shape);
    const one = { shape, data: data.subarray(index * size, (index + 1) * size) };
    return transposed === true ? transpose(one) : one;
  }

  private async tensor(stored: StoredWeight): Promise<Weight> {
    const { unless, ...usual } = stored;
    if (unless === undefined || this.files.shapeOf(this.nameOf(unless)) === undefined) {
      return this.read(usual);
    }
    // Most such heads are the embedding once more: one of them is enough to keep.
    const [own, tied] = [await this.read({ ...usual, tensor: unless }), await this.read(usual)];
    const [ownData, tiedData] = [own.data, tied.data];
    const same = ownData.every((value, index) => value === tiedData[index]);
    this.tensors.set(unless, same ? tied : own);
    return same ? tied : own;
  }

  private async read(weight: StoredWeight): Promise<Weight> {
    const { tensor, transposed } = weight;
    const known = this.tensors.get(tensor);
    if (known !== undefined) {
      return known;
    }
    const stored = await this.files.read(this.found(weight));
    const turned = transposed === true ? transpose(stored) : stored;
    this.tensors.set(tensor, turned);
    return turned;
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
