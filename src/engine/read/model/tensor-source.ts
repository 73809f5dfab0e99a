import type { TensorPart, Weight } from './weights';

export type { TensorPart };

/**
 * The tensors of a checkpoint by name, with the shapes and numbers that its configuration means, however they are stored.
 *
 * Safetensors files are one. What stores them otherwise (in blocks of few bits, or under other names) stands before such a
 * source and answers for it.
 */
export interface TensorSource {
  /** Names of all tensors, as `Checkpoint` and `checkAllRead` know them. */
  readonly names: Iterable<string>;
  /** Biases that a format stores beside its weights whether or not the model has any: zeros where it has none. */
  readonly paddedBiases?: readonly string[];
  /** The type in which most bytes are stored, such as `BF16`; undefined if there are none. */
  readonly mainType: string | undefined;
  /** The shape of a tensor; undefined if it does not exist. */
  shapeOf(tensor: string): readonly number[] | undefined;
  /** Bytes that a tensor takes in a run where it stays packed; undefined where it becomes float32. */
  packedBytesOf?(tensor: string): number | undefined;
  /** Whether some rows of a matrix can be read without the others. */
  hasRows?(tensor: string): boolean;
  /** Refuses a tensor that cannot be read, by its header. @throws InputError */
  checkType(tensor: string): void;
  /**
   * Reads a tensor, as float32 or as codes that stay packed, whenever it is asked for. It blocks its thread; nothing is kept, and
   * nothing is open between two readings.
   *
   * @throws InputError if it is missing or broken, or its file has changed
   */
  read(tensor: string, part?: TensorPart): Weight;
}
