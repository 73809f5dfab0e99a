import type { Scenario } from './scenario/scenario';

/** Shape of the large transformer: it decides the cost of attention and of token-wise work. All counts, no units. */
export interface ModelShape {
  readonly layers: number;
  /** Query heads per layer. */
  readonly heads: number;
  /** Key-value heads per layer; divides `heads` (grouped-query attention). */
  readonly keyValueHeads: number;
  /** Width m of one head. */
  readonly headWidth: number;
  /** Width d of the residual stream. */
  readonly width: number;
  /** Inner width of the feed-forward network. */
  readonly feedForwardWidth: number;
  readonly vocabulary: number;
  /** Gated networks (SwiGLU, GeGLU) have three matrices, plain ones two; gated by default. */
  readonly feedForward?: 'gated' | 'plain';
  /** Parameters in the checkpoint; by default those of a bias-free Llama of this shape. */
  readonly parameters?: number;
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

/** Matrix elements of one layer's query, key and value projections, for counting its work. */
export function projectionParameters(shape: ModelShape): number {
  return shape.width * shape.headWidth * (shape.heads + 2 * shape.keyValueHeads);
}

/** Matrix elements of one layer's output projection and feed-forward network. */
export function outputAndMlpParameters(shape: ModelShape): number {
  return shape.width * shape.headWidth * shape.heads + (shape.feedForward === 'plain' ? 2 : 3) * shape.width * shape.feedForwardWidth;
}
