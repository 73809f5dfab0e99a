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
  /** Inner width of the gated feed-forward network. */
  readonly feedForwardWidth: number;
  readonly vocabulary: number;
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

/** Weights of a bias-free Llama model, counted from its shape. @param tiedHead whether the output head is the embedding */
export function parameterCount(shape: ModelShape, tiedHead = true): number {
  const norms = 2 * shape.layers * shape.width + shape.width;
  const embeddings = (tiedHead ? 1 : 2) * shape.vocabulary * shape.width;
  return embeddings + norms + shape.layers * (projectionParameters(shape) + outputAndMlpParameters(shape));
}

/** Parameters of one layer's query, key and value projections. */
export function projectionParameters(shape: ModelShape): number {
  return shape.width * shape.headWidth * (shape.heads + 2 * shape.keyValueHeads);
}

/** Parameters of one layer's output projection and feed-forward network. */
export function outputAndMlpParameters(shape: ModelShape): number {
  return shape.width * shape.headWidth * shape.heads + 3 * shape.width * shape.feedForwardWidth;
}
