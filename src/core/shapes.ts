import type { Scenario } from './scenario/scenario';

/** Shape of one layer. All counts, no units. */
export interface LayerShape {
  /** Query heads; 0 in a layer without attention. */
  readonly heads: number;
  /** Key-value heads; divides `heads` (grouped-query attention). */
  readonly keyValueHeads: number;
  /** Width m of one head's queries and keys. */
  readonly headWidth: number;
  /** Width of one head's values; by default that of its queries and keys. */
  readonly valueWidth?: number;
  /** Inner width of the feed-forward network: of a mixture of experts, of those that a token goes to; 0 if there is none. */
  readonly feedForwardWidth: number;
  /** Gated networks (SwiGLU, GeGLU) have three matrices, plain ones two; gated by default. */
  readonly feedForward?: 'gated' | 'plain';
  /**
   * Matrix elements that a token is multiplied with before attention, where queries, keys and values are no plain products of
   * the residual stream (latent attention); in a layer without attention, those of what it has instead.
   */
  readonly projection?: number;
  /**
   * Numbers that a token leaves in the cache of this layer, where they are not its keys and values: those of latent attention are
   * made from one short vector, and a layer that uses another's keys keeps none.
   */
  readonly cacheWidth?: number;
}

/** Layers that are alike in all but their mask. */
export interface LayerKind extends LayerShape {
  /** 0-based, ascending. */
  readonly layers: readonly number[];
}

/**
 * Shape of the large transformer: it decides the cost of attention and of token-wise work. All counts, no units.
 *
 * The fields of a layer are those of all layers; if there are `kinds`, those of the first kind that attends.
 */
export interface ModelShape extends LayerShape {
  readonly layers: number;
  /** Width d of the residual stream. */
  readonly width: number;
  readonly vocabulary: number;
  /** Where layers differ in more than their mask: at least two kinds, which together have every layer once. */
  readonly kinds?: readonly LayerKind[];
  /** c, where scores s are bent to `c tanh(s / c)` before softmax (Gemma 2). */
  readonly scoreCap?: number;
  /** Its own mask stands for keys that queries pick in a run, so that none can be forgotten. */
  readonly picksKeys?: true;
  /** Parameters in the checkpoint; by default those of a bias-free Llama of this shape. */
  readonly parameters?: number;
  /** Bytes that a parameter takes in memory on average, where some stay integer codes; else `weightBytes` counts them. */
  readonly bytesPerWeight?: number;
  /** The mask that the model was trained with; causal by default. */
  readonly attention?: Scenario;
  /** Tokens that the model was trained to read, after the extension of its rotary embedding; absent where its configuration does not say. */
  readonly trainedTokens?: number;
  /** Positions that the model has, where they are learned: it cannot run more tokens. Absent where there is no such limit. */
  readonly maximumTokens?: number;
}

/** Shape of the small transformer (the oracle): it reads at most `inputLength` tokens (M) per call. */
export interface OracleShape {
  /** M: tokens a call may read. */
  readonly inputLength: number;
  /** L': layers. Times `heads`, the number of single-head instances that one call carries (lemma 3.3). */
  readonly layers: number;
  /** H': heads. */
  readonly heads: number;
  /** Whether the oracle masks causally by itself. */
  readonly causal: boolean;
}

/** Parameters in a model's checkpoint: from its shape, or those of a bias-free Llama with tied embeddings. */
export function parameterCount(shape: ModelShape): number {
  const norms = 2 * shape.layers * shape.width + shape.width;
  const layer = projectionParameters(shape) + outputAndMlpParameters(shape);
  return shape.parameters ?? shape.vocabulary * shape.width + norms + shape.layers * layer;
}

/** The attention that a model was trained with. */
export function nativeScenario({ attention }: ModelShape): Scenario {
  return attention ?? { kind: 'causal' };
}

/** The key-value head of a query head: consecutive query heads share one. */
export function keyValueHeadOf({ heads, keyValueHeads }: Pick<LayerShape, 'heads' | 'keyValueHeads'>, head: number): number {
  return Math.floor((head * keyValueHeads) / heads);
}

/** Width of one head's values. */
export function valueWidthOf({ valueWidth, headWidth }: LayerShape): number {
  return valueWidth ?? headWidth;
}

/** Query heads of all layers together. */
export function headsOfAllLayers({ layers, heads, kinds }: ModelShape): number {
  return kinds === undefined ? layers * heads : kinds.reduce((sum, kind) => sum + kind.layers.length * kind.heads, 0);
}

/** Numbers that one token's queries, keys, values and attention output have in a layer. */
export function attentionWidth(shape: LayerShape): number {
  return (shape.headWidth + valueWidthOf(shape)) * (shape.heads + shape.keyValueHeads);
}

/** Numbers that one token leaves in the cache of a layer. */
export function cacheWidthOf(shape: LayerShape): number {
  return shape.cacheWidth ?? shape.keyValueHeads * (shape.headWidth + valueWidthOf(shape));
}

/** Matrix elements of one layer's query, key and value projections, for counting its work. */
export function projectionParameters(shape: LayerShape & Pick<ModelShape, 'width'>): number {
  const { projection, width, headWidth, heads, keyValueHeads } = shape;
  return projection ?? width * (headWidth * (heads + keyValueHeads) + valueWidthOf(shape) * keyValueHeads);
}

/** Matrix elements of one layer's output projection and feed-forward network. */
export function outputAndMlpParameters(shape: LayerShape & Pick<ModelShape, 'width'>): number {
  return shape.width * valueWidthOf(shape) * shape.heads + (shape.feedForward === 'plain' ? 2 : 3) * shape.width * shape.feedForwardWidth;
}
