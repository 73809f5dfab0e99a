import type { EmbeddingWeight, HeadWeight, OutputAndMlpWeight, ProjectWeight } from '../read/model/weights';

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
export function storedWeights({ embedding, layers, head }: Checkpoint): readonly StoredWeight[] {
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
