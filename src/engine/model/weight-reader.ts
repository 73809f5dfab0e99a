import { InputError } from '../../core/errors';
import { elementsOf, type StoredWeight, type StoredWeights } from './checkpoint';
import type { CheckpointFiles } from './shards';
import { shown } from '../../core/text/printable';
import type { Weight, Weights } from '../read/model/weights';

/** Reads weights from a checkpoint, each tensor once. */
export class WeightReader {
  /** Tensors in the layout of weights; several weights may be rows of one. */
  private readonly tensors = new Map<string, Weight>();

  constructor(
    private readonly files: CheckpointFiles,
    private readonly prefixes: readonly string[],
  ) {}

  /** Reads some weights. @throws InputError where one is missing, broken, or not of the shape that config.json means */
  async all<Name extends string>(weights: StoredWeights<Name>): Promise<Weights<Name>> {
    const read: [string, Weight][] = [];
    for (const [name, weight] of Object.entries(weights as Readonly<Record<string, StoredWeight>>)) {
      read.push([name, await this.one(weight)]);
    }
    return Object.fromEntries(read) as unknown as Weights<Name>;
  }

  private async one(weight: StoredWeight): Promise<Weight> {
    const whole = await this.tensor(weight);
    if (weight.rows === undefined) {
      return whole;
    }
    const [from, to] = weight.rows;
    const rowSize = elementsOf(whole.shape.slice(1));
    return { shape: [to - from, ...whole.shape.slice(1)], data: whole.data.subarray(from * rowSize, to * rowSize) };
  }

  private async tensor({ tensor, shape, transposed }: StoredWeight): Promise<Weight> {
    const known = this.tensors.get(tensor);
    if (known !== undefined) {
      return known;
    }
    const name = this.nameOf(tensor);
    const found = this.files.shapeOf(name);
    if (found === undefined) {
      throw new InputError(`The checkpoint lacks ${tensor}; it does not belong to this config.json.`);
    }
    if (found.join() !== shape.join()) {
      throw new InputError(
        `The checkpoint's ${tensor} is [${shown(found.join(', '))}] but config.json means [${shape.join(', ')}]; correct one of them.`,
      );
    }
    const stored = await this.files.read(name);
    const weight = transposed === true ? transpose(stored) : stored;
    this.tensors.set(tensor, weight);
    return weight;
  }

  /** The name under which the checkpoint has a tensor: with a prefix, or as the first years of BERT called the parts of a norm. */
  private nameOf(tensor: string): string {
    const older = tensor.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta');
    const names = [...this.prefixes, ''].flatMap((prefix) => [`${prefix}${tensor}`, `${prefix}${older}`]);
    return names.find((name) => this.files.shapeOf(name) !== undefined) ?? tensor;
  }
}

/** `[in, out]` to `[out, in]`. */
function transpose({ shape: [rows, columns], data }: Weight): Weight {
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      turned[column * rows + row] = data[row * columns + column];
    }
  }
  return { shape: [columns, rows], data: turned };
}
