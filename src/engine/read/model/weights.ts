/** A weight as graphs take it: float32, row-major; matrices are `[out, in]`, norms and biases `[width]`. */
export interface Weight {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Weights by name; those that an architecture does not have are absent. */
export type Weights<Name extends string> = Readonly<Partial<Record<Name, Weight>>>;

/** What a token's vector is made of before the first layer: its word, its place, its segment, and a norm over their sum. */
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

/** From the last residual stream to logits: a norm, for masked language models one more layer, and the output head. */
export type HeadWeight =
  | 'finalNormWeight'
  | 'finalNormBias'
  | 'transformWeight'
  | 'transformBias'
  | 'transformNormWeight'
  | 'transformNormBias'
  | 'headWeight'
  | 'headBias';

/** Shapes of weights by name: what a graph is built for. */
export type WeightShapes<Name extends string> = Readonly<Partial<Record<Name, readonly number[]>>>;

/** The shapes of weights. */
export function shapesOf<Name extends string>(weights: Weights<Name>): WeightShapes<Name> {
  const entries = Object.entries(weights as Readonly<Record<string, Weight>>);
  return Object.fromEntries(entries.map(([name, { shape }]) => [name, shape])) as WeightShapes<Name>;
}

/** Where a weight lies in a checkpoint. */
export interface StoredWeight {
  /** Name of the tensor, without the prefix that some checkpoints put before the names of the base model's. */
  readonly tensor: string;
  /** The tensor's shape, as it is stored. */
  readonly shape: readonly number[];
  /** Whether the matrix is stored `[in, out]`. */
  readonly transposed?: boolean;
  /** Rows `[from, to)` of the `[out, in]` matrix or bias, where several weights share a tensor. */
  readonly rows?: readonly [number, number];
}

/** Stored weights by the name that graphs have for them. */
export type StoredWeights<Name extends string> = Readonly<Partial<Record<Name, StoredWeight>>>;

/** Where one layer's weights lie. */
export interface StoredLayer {
  readonly project: StoredWeights<ProjectWeight>;
  readonly outputAndMlp: StoredWeights<OutputAndMlpWeight>;
}

/** Where all weights of a model lie in its checkpoint: what is loaded, counted, and refused where it is missing. */
export interface Checkpoint {
  /** What may stand before every tensor's name; the first that fits is taken. */
  readonly prefixes: readonly string[];
  readonly embedding: StoredWeights<EmbeddingWeight>;
  readonly layers: readonly StoredLayer[];
  readonly head: StoredWeights<HeadWeight>;
}

/** Every stored weight of a checkpoint. */
function storedWeights({ embedding, layers, head }: Checkpoint): readonly StoredWeight[] {
  const groups: readonly Readonly<Record<string, StoredWeight>>[] = [
    embedding,
    ...layers.flatMap(({ project, outputAndMlp }) => [project, outputAndMlp]),
    head,
  ] as never;
  return groups.flatMap((group) => Object.values(group));
}

/** Numbers in the checkpoint, tensors that several weights share counted once. */
export function parametersOf(checkpoint: Checkpoint): number {
  const tensors = new Map(storedWeights(checkpoint).map(({ tensor, shape }) => [tensor, shape]));
  return [...tensors.values()].reduce((sum, shape) => sum + elementsOf(shape), 0);
}

/** Numbers in a tensor. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
