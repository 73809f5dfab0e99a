/** A weight as graphs take it: float32, row-major; matrices are `[out, in]`, norms and biases `[width]`. */
export interface Weight {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Weights by name; those that an architecture does not have are absent. */
export type Weights<Name extends string> = Readonly<Partial<Record<Name, Weight>>>;

/** What a token's vector is made of before the first layer: its word, its place, its segment, and a norm over their sum. */
export const embeddingWeightNames = ['words', 'positions', 'segments', 'embeddingNormWeight', 'embeddingNormBias'] as const;
export type EmbeddingWeight = (typeof embeddingWeightNames)[number];

/** The first half of a layer: residual stream to queries, keys and values. */
export const projectWeightNames = [
  'attentionNormWeight',
  'attentionNormBias',
  'queryWeight',
  'queryBias',
  'keyWeight',
  'keyBias',
  'valueWeight',
  'valueBias',
  'queryNormWeight',
  'keyNormWeight',
] as const;
export type ProjectWeight = (typeof projectWeightNames)[number];

/** The second half: attention back into the residual stream, then the feed-forward network. */
export const outputAndMlpWeightNames = [
  'outputWeight',
  'outputBias',
  'attentionNormWeight',
  'attentionNormBias',
  'mlpNormWeight',
  'mlpNormBias',
  'gateWeight',
  'gateBias',
  'upWeight',
  'upBias',
  'downWeight',
  'downBias',
] as const;
export type OutputAndMlpWeight = (typeof outputAndMlpWeightNames)[number];

/** From the last residual stream to logits: a norm, for masked language models one more layer, and the output head. */
export const headWeightNames = [
  'finalNormWeight',
  'finalNormBias',
  'transformWeight',
  'transformBias',
  'transformNormWeight',
  'transformNormBias',
  'headWeight',
  'headBias',
] as const;
export type HeadWeight = (typeof headWeightNames)[number];

/** Shapes of weights by name: what a graph is built for. */
export type WeightShapes<Name extends string> = Readonly<Partial<Record<Name, readonly number[]>>>;

/** The shapes of weights. */
export function shapesOf<Name extends string>(weights: Weights<Name>): WeightShapes<Name> {
  const entries = Object.entries(weights as Readonly<Record<string, Weight>>);
  return Object.fromEntries(entries.map(([name, { shape }]) => [name, shape])) as WeightShapes<Name>;
}
