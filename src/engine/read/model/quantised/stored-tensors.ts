import { InputError } from '../../../../core/errors';
import { shown } from '../../../../core/text/printable';
import type { TensorSource } from '../tensor-source';

/** Tensors as they lie in a checkpoint's files: the parts of quantised weights. */
export interface StoredTensors extends TensorSource {
  /** How a tensor is stored; undefined if it does not exist. */
  storedOf(tensor: string): { readonly type: string; readonly shape: readonly number[] } | undefined;
  /**
   * Reads a tensor's bytes; they begin at a multiple of four in their buffer.
   *
   * @throws InputError if it is missing or broken
   */
  readBytes(tensor: string): Uint8Array;
}

/** A weight that is stored in fewer bits than a float has, in one tensor or several. */
export interface PackedWeight {
  /** The tensors that it consists of, and those that come with it and change nothing. */
  readonly parts: readonly string[];
  /** A bias beside it, which the format may have where the model has none. */
  readonly paddedBias?: string;
  /** Its shape in the plain checkpoint. */
  readonly shape: readonly number[];
  /** Its values in float32, row-major. @throws InputError if a part is broken */
  read(): Float32Array;
}

/** Weights that are quantised, by their names in the plain checkpoint. */
export type PackedWeights = ReadonlyMap<string, PackedWeight>;

/** Types of scales. */
export const floatTypes: readonly string[] = ['F32', 'F16', 'BF16'];

/** The modules that have a tensor of this name, such as `model.layers.0.mlp.up_proj` by `.qweight`. */
export function modulesWith(files: StoredTensors, suffix: string): readonly string[] {
  return [...files.names].filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
}

/**
 * The shape of a part of a quantised weight.
 *
 * @param format names the format in errors
 * @param types those that the format has for this part
 * @param shape lengths that must be so; undefined for any
 * @throws InputError if the part is missing, of another type or of another shape
 */
export function partShape(
  files: StoredTensors,
  tensor: string,
  format: string,
  types: readonly string[],
  shape: readonly (number | undefined)[],
): readonly number[] {
  const stored = files.storedOf(tensor);
  const name = shown(tensor, 100);
  if (stored === undefined) {
    throw new InputError(`The checkpoint lacks ${name}, a part of a weight in ${format}; download the model again.`);
  }
  if (!types.includes(stored.type)) {
    throw new InputError(`${name} is stored as ${shown(stored.type)} where ${format} has ${types.join(' or ')}; use another checkpoint.`);
  }
  const fits =
    stored.shape.length === shape.length && stored.shape.every((length, index) => length > 0 && length === (shape[index] ?? length));
  if (!fits) {
    const expected = shape.map((length) => length ?? 'any').join(', ');
    throw new InputError(
      `${name} is [${shown(stored.shape.join(', '))}] where ${format} of this configuration has [${shown(expected)}]; download the model again.`,
    );
  }
  return stored.shape;
}
