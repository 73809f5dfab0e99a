import { InputError } from '../../../core/errors';
import { formatBytes } from '../../../core/format';

/** A weight in the layout of graphs: float32, row-major; matrices are `[out, in]`, norms and biases `[width]`. */
export interface Weight {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * Memory for the numbers of a weight, zeros.
 *
 * @param what names it in errors
 * @throws InputError if an array cannot be that long, or memory runs out
 */
export function allocate(what: string, elements: number): Float32Array<ArrayBuffer> {
  try {
    return new Float32Array(elements);
  } catch {
    throw new InputError(`${what} needs ${formatBytes(4 * elements)} in one piece, more than can be had; use a smaller model.`);
  }
}

/** Refuses a weight that has a number which is none. @param what names it in errors @throws InputError */
export function checkFinite(what: string, data: Float32Array): void {
  const broken = data.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) {
    throw new InputError(`${what} holds ${data[broken]} at element ${broken}; the weights must be finite.`);
  }
}

/** Weights by name; those that an architecture lacks are absent. */
export type Weights<Name extends string> = Readonly<Partial<Record<Name, Weight>>>;

/** Components of a token's vector before the first layer: word, position, segment, and a norm of their sum. */
export type EmbeddingWeight = 'words' | 'positions' | 'segments' | 'embeddingNormWeight' | 'embeddingNormBias';

/** The first half of a layer: residual stream to queries, keys and values. */
export type ProjectWeight =
  | 'attentionNormWeight'
  | 'attentionNormBias'
  | 'queryWeight'
  | 'queryBias'
  | 'keyWeight'
  | 'keyBias'
  | 'valueWeight'
  | 'valueBias'
  | 'queryNormWeight'
  | 'keyNormWeight';

/** The second half: attention back into the residual stream, then the feed-forward network. */
export type OutputAndMlpWeight =
  | 'outputWeight'
  | 'outputBias'
  | 'attentionNormWeight'
  | 'attentionNormBias'
  | 'mlpNormWeight'
  | 'mlpNormBias'
  | 'gateWeight'
  | 'gateBias'
  | 'upWeight'
  | 'upBias'
  | 'downWeight'
  | 'downBias';

/** From the last residual stream to logits: a norm, one more layer in masked language models, and the output head. */
export type HeadWeight =
  | 'finalNormWeight'
  | 'finalNormBias'
  | 'transformWeight'
  | 'transformBias'
  | 'transformNormWeight'
  | 'transformNormBias'
  | 'headWeight'
  | 'headBias';

/** Shapes of weights by name: the input of graph builders. */
export type WeightShapes<Name extends string> = Readonly<Partial<Record<Name, readonly number[]>>>;

/** The shapes of weights. */
export function shapesOf<Name extends string>(weights: Weights<Name>): WeightShapes<Name> {
  const entries = Object.entries(weights as Readonly<Record<string, Weight>>);
  return Object.fromEntries(entries.map(([name, { shape }]) => [name, shape])) as WeightShapes<Name>;
}

/** Position of a weight in a checkpoint. */
export interface StoredWeight {
  /** Name of the tensor, without the base model's prefix that some checkpoints use. */
  readonly tensor: string;
  /** The tensor's stored shape. */
  readonly shape: readonly number[];
  /** Whether the matrix is stored `[in, out]`. */
  readonly transposed?: boolean;
  /** Another tensor of this shape, which counts in its place where the checkpoint has it: an output head that is tied, and yet stored. */
  readonly unless?: string;
  /** Rows `[from, to)` of the `[out, in]` matrix or bias, if several weights share a tensor. */
  readonly rows?: readonly [number, number];
  /** With `rows`: they are of every so many rows, as where a head's queries, keys and values follow one another. */
  readonly every?: number;
}

/** Stored weights by their name in graphs. */
export type StoredWeights<Name extends string> = Readonly<Partial<Record<Name, StoredWeight>>>;

/** Positions of one layer's weights. */
export interface StoredLayer {
  readonly project: StoredWeights<ProjectWeight>;
  readonly outputAndMlp: StoredWeights<OutputAndMlpWeight>;
}

/**
 * Positions of all weights of a model in its checkpoint: for loading, counting, and refusing a checkpoint that lacks one.
 */
export interface Checkpoint {
  /** Possible prefixes of every tensor's name; the first that matches is used. */
  readonly prefixes: readonly string[];
  /** The base model's name in tensors' names, and those that other checkpoints have in its place. */
  readonly base?: { readonly name: string; readonly others: readonly string[] };
  readonly embedding: StoredWeights<EmbeddingWeight>;
  readonly layers: readonly StoredLayer[];
  readonly head: StoredWeights<HeadWeight>;
}

/** Every stored weight of a checkpoint. */
export function storedWeights({ embedding, layers, head }: Checkpoint): readonly StoredWeight[] {
  const groups: readonly Readonly<Record<string, StoredWeight>>[] = [
    embedding,
    ...layers.flatMap(({ project, outputAndMlp }) => [project, outputAndMlp]),
    head,
  ] as never;
  return groups.flatMap((group) => Object.values(group));
}

/** Parameters in the checkpoint; tensors that several weights share count once. */
export function parametersOf(checkpoint: Checkpoint): number {
  const tensors = new Map(storedWeights(checkpoint).map(({ tensor, shape }) => [tensor, shape]));
  return [...tensors.values()].reduce((sum, shape) => sum + elementsOf(shape), 0);
}

/** Numbers in a tensor. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
