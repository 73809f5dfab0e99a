import { InputError } from '../../../core/errors';
import { formatBytes } from '../../../core/format';
import { text } from '../../../core/l10n';
import { type PackedMatrix, unpackRow } from './packed';

/** A weight in the layout of graphs: row-major; matrices are `[out, in]`, norms and biases `[width]`. */
export interface Weight {
  readonly shape: readonly number[];
  /** In float32; of one that is packed or in a file made at each reading. */
  readonly data: Float32Array;
  /** Of a matrix that stays integer codes, their bits, and the codes, which are read at each reading where they are in a file. */
  readonly codeBits?: PackedMatrix['bits'] | undefined;
  readonly packed?: PackedMatrix | undefined;
  /** Of a weight that is in a file and not in memory: reads its `data`, into this memory where it has that length. */
  readData?(into: Float32Array | undefined): Float32Array;
  /** The same for a row alone, where that can be. */
  readRow?(row: number): Float32Array;
}

/** A weight that is kept as codes. Reading its `data` makes float32 of all of it. */
export class PackedWeight implements Weight {
  constructor(readonly packed: PackedMatrix) {}

  get codeBits(): PackedMatrix['bits'] {
    return this.packed.bits;
  }

  get shape(): readonly number[] {
    return this.packed.shape;
  }

  get data(): Float32Array {
    const [rows, columns] = this.packed.shape;
    const data = allocate(text('A quantised weight'), rows * columns);
    for (let row = 0; row < rows; row += 1) {
      unpackRow(this.packed, row, data.subarray(row * columns, (row + 1) * columns));
    }
    return data;
  }
}

/** What of a tensor is read, and where it goes. */
export interface TensorPart {
  /** A row alone, of a matrix of which `hasRows`. */
  readonly row?: number | undefined;
  /** Memory that may be overwritten with its numbers, where it is as long as they are. */
  readonly into?: Float32Array | undefined;
}

/** A weight that is in a file: all that is asked of it is read there, and not kept. */
export class FileWeight implements Weight {
  readonly readRow?: (row: number) => Float32Array;

  /** @param read the whole, or a row alone where `hasRows` */
  constructor(
    readonly shape: readonly number[],
    readonly codeBits: PackedMatrix['bits'] | undefined,
    private readonly read: (part: TensorPart) => Weight,
    hasRows: boolean,
  ) {
    if (hasRows) {
      this.readRow = (row) => read({ row }).data;
    }
  }

  get data(): Float32Array {
    return this.read({}).data;
  }

  get packed(): PackedMatrix | undefined {
    return this.codeBits === undefined ? undefined : this.read({}).packed;
  }

  readData(into: Float32Array | undefined): Float32Array {
    return this.read({ into }).data;
  }
}

/** Row `row` of a matrix, in float32. */
export function rowOf(weight: Weight, row: number): Float32Array {
  if (weight.readRow !== undefined) {
    return weight.readRow(row);
  }
  const columns = weight.shape[1];
  const { packed } = weight;
  if (packed === undefined) {
    return weight.data.subarray(row * columns, (row + 1) * columns);
  }
  const values = new Float32Array(columns);
  unpackRow(packed, row, values);
  return values;
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
  for (let at = 0; at < data.length; at += 1) {
    if (!(Math.abs(data[at]) < Infinity)) {
      throw new InputError(`${what} holds ${data[at]} at element ${at}; the weights must be finite.`);
    }
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
  | 'attentionOutputNormWeight'
  | 'mlpNormWeight'
  | 'mlpNormBias'
  | 'mlpOutputNormWeight'
  | 'gateWeight'
  | 'gateBias'
  | 'upWeight'
  | 'upBias'
  | 'downWeight'
  | 'downBias'
  | 'routerWeight'
  | 'routerBias'
  | ExpertWeight;

/** The weights of one expert's network, by its number from 0: those that a dense layer has without it. */
export type ExpertWeight = `experts.${number}.${'gate' | 'up' | 'down'}${'Weight' | 'Bias'}`;

/** What attention itself has besides queries, keys and values: the score `[H]` of each head's learned sink. */
export type AttendWeight = 'sinks';

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

/** Whether a checkpoint has an output head: that of its embedding, one of its own, or none. */
export type HeadPlace = 'tied' | 'own' | 'none';

/** Where the output head of a checkpoint is. @param predicts whether the model has one @param tied whether it is the embedding */
export function headPlace(predicts: boolean, tied: boolean): HeadPlace {
  return !predicts ? 'none' : tied ? 'tied' : 'own';
}

/**
 * The output head of a checkpoint, which has the shape of its embedding.
 *
 * @param tensor its name, where it is stored: one that is tied may be, and counts then
 */
export function outputHead(place: HeadPlace, embedding: StoredWeight, tensor = 'lm_head.weight'): StoredWeights<'headWeight'> {
  switch (place) {
    case 'tied':
      return { headWeight: { ...embedding, unless: tensor } };
    case 'own':
      return { headWeight: { ...embedding, tensor } };
    case 'none':
      return {};
  }
}

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
  /** Added to every number: a norm by 1 + w is stored as w (Gemma). */
  readonly offset?: number;
  /** Rows of a head, where it rotates neighbouring columns as pairs (Command R): those of a pair are put m/2 apart, as graphs have them. */
  readonly neighbours?: number;
  /** Which of the matrices or biases of a stack `[E, ...]` it is; `transposed` and `rows` are then of that one. */
  readonly expert?: number;
}

/** Stored weights by their name in graphs. */
export type StoredWeights<Name extends string> = Readonly<Partial<Record<Name, StoredWeight>>>;

/** Positions of one layer's weights. */
export interface StoredLayer {
  readonly project: StoredWeights<ProjectWeight>;
  /** Absent where attention has no weights of its own. */
  readonly attend?: StoredWeights<AttendWeight>;
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
  return [...storedIn(embedding), ...layers.flatMap(storedInLayer), ...storedIn(head)];
}

/** Every stored weight of a layer. */
export function storedInLayer({ project, attend = {}, outputAndMlp }: StoredLayer): readonly StoredWeight[] {
  return [...storedIn(project), ...storedIn(attend), ...storedIn(outputAndMlp)];
}

function storedIn<Name extends string>(group: StoredWeights<Name>): readonly StoredWeight[] {
  return Object.values(group as Readonly<Record<string, StoredWeight>>);
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

/** A matrix `[in, out]` as `[out, in]`, or the other way round. */
export function transpose({ shape: [rows, columns], data }: Weight): Weight {
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      turned[column * rows + row] = data[row * columns + column];
    }
  }
  return { shape: [columns, rows], data: turned };
}
