import { InputError } from '../../../../core/errors';
import { shown } from '../../../../core/text/printable';
import type { TensorPart, TensorSource } from '../tensor-source';
import { checkFinite, type Weight } from '../weights';
import { packedWeights, type Quantisation } from './quantisation';
import type { PackedWeights, StoredTensors } from './stored-tensors';

/**
 * The tensors of a quantised checkpoint, as if it were the plain one: a weight that lies in parts has the plain one's name, shape
 * and float32 values, and its parts have no names. What is no part of any is there as it is.
 */
export class QuantisedTensors implements TensorSource {
  private readonly parts: ReadonlySet<string>;

  private constructor(
    private readonly files: StoredTensors,
    /** As lists of models show it. */
    readonly mainType: string,
    private readonly weights: PackedWeights,
  ) {
    this.parts = new Set([...weights.values()].flatMap(({ parts }) => parts));
  }

  /**
   * Looks for the quantised weights among stored tensors.
   *
   * @param format in words
   * @throws InputError if there are none, or a part of one is missing, or of another type or shape
   */
  static over(files: StoredTensors, format: string, quantisation: Quantisation): QuantisedTensors {
    const weights = packedWeights(files, quantisation);
    if (weights.size === 0) {
      throw new InputError(
        `config.json says that weights are stored as ${format}, and none is; download the model again, or remove what it says if they are floats.`,
      );
    }
    const source = new QuantisedTensors(files, format, weights);
    const twice = [...weights.keys()].find((name) => !source.parts.has(name) && files.storedOf(name) !== undefined);
    if (twice !== undefined) {
      throw new InputError(`The checkpoint has ${shown(twice, 100)} twice, plain and in ${format}; download the model again.`);
    }
    return source;
  }

  get paddedBiases(): readonly string[] {
    return [...this.weights.values()].flatMap(({ paddedBias }) => paddedBias ?? []);
  }

  get names(): Iterable<string> {
    return [...[...this.files.names].filter((name) => !this.parts.has(name)), ...this.weights.keys()];
  }

  shapeOf(tensor: string): readonly number[] | undefined {
    return this.weights.get(tensor)?.shape ?? (this.parts.has(tensor) ? undefined : this.files.shapeOf(tensor));
  }

  checkType(tensor: string): void {
    // Those of parts were checked when they were found.
    if (!this.weights.has(tensor)) {
      this.files.checkType(tensor);
    }
  }

  hasRows(tensor: string): boolean {
    return !this.weights.has(tensor) && this.files.hasRows?.(tensor) === true;
  }

  read(tensor: string, part?: TensorPart): Weight {
    const weight = this.weights.get(tensor);
    if (weight === undefined) {
      return this.files.read(tensor, part);
    }
    const data = weight.read();
    checkFinite(`${shown(tensor, 100)} (${this.mainType})`, data);
    return { shape: weight.shape, data };
  }
}
