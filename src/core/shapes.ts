import type { Scenario } from './scenario/scenario';

/** Shape of the large transformer: what its attention and token-wise work cost. All counts, no units. */
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
  /** Gated networks (SwiGLU, GeGLU) have three matrices, plain ones two; gated where left out. */
  readonly feedForward?: 'gated' | 'plain';
  /** Numbers in the checkpoint; where left out, those of a bias-free Llama of this shape. */
  readonly parameters?: number;
  /** The mask that the model was trained with; causal where left out. */
  readonly attention?: Scenario;
}

/** Shape of the small transformer (the oracle): it reads at most `inputLength` tokens (M) a call. */
export interface OracleShape {
  /** M: tokens a call may read. */
  readonly inputLength: number;
  /** L': layers. With `heads` it says how many single-head instances one call carries (lemma 3.3). */
  readonly layers: number;
  /** H': heads. */
  readonly heads: number;
  /** Whether the oracle masks causally by itself. */
  readonly causal: boolean;
}

/** Numbers in the checkpoint of a model: as its shape says, or those of a bias-free Llama whose output head is the embedding. */
export function parameterCount(shape: ModelShape): number {
  const norms = 2 * shape.layers * shape.width + shape.width;
  const layer = projectionParameters(shape) + outputAndMlpParameters(shape);
  return shape.parameters ?? shape.vocabulary * shape.width + norms + shape.layers * layer;
}

/** The attention that a model was trained with. */
export function nativeScenario({ attention }: ModelShape): Scenario {
  return attention ?? { kind: 'causal' };
}

/** Matrix elements of one layer's query, key and value projections, by which its work is counted. */
export function projectionParameters(shape: ModelShape): number {
  return shape.width * shape.headWidth * (shape.heads + 2 * shape.keyValueHeads);
}

/** Matrix elements of one layer's output projection and feed-forward network. */
export function outputAndMlpParameters(shape: ModelShape): number {
  return shape.width * shape.headWidth * shape.heads + (shape.feedForward === 'plain' ? 2 : 3) * shape.width * shape.feedForwardWidth;
}
