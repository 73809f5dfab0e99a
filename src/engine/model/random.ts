import { normal } from '../../core/random';
import type { ModelShape } from '../../core/shapes';
import type { LoadedModel } from './load';

/** What a random model's attention looks like. */
export interface RandomModelOptions {
  readonly seed: number;
  /** Standard deviation of the scores. */
  readonly scoreScale: number;
  /** Share of a token's embedding that is its own; the rest is common to all tokens, and makes their values alike. */
  readonly variety: number;
}

/** A Llama model of random weights: data on which a theorem can be tried at any shape. */
export function randomModel(shape: ModelShape, { seed, scoreScale, variety }: RandomModelOptions): LoadedModel {
  const next = normal(seed);
  const { layers, heads, keyValueHeads, headWidth, width, feedForwardWidth, vocabulary } = shape;
  const matrix = (outputs: number, inputs: number, size = 1): Float32Array =>
    Float32Array.from({ length: outputs * inputs }, () => (size * next()) / Math.sqrt(inputs));
  const common = Float32Array.from({ length: width }, next);
  const embedding = Float32Array.from({ length: vocabulary * width }, (_, index) => (1 - variety) * common[index % width] + variety * next());
  const ones = new Float32Array(width).fill(1);
  return {
    name: 'random',
    folder: '',
    shape,
    normEpsilon: 1e-5,
    ropeTheta: 10_000,
    tiedHead: true,
    embedding,
    head: embedding,
    finalNorm: ones,
    layers: Array.from({ length: layers }, () => ({
      attentionNorm: ones,
      // Normed tokens have components of size 1, so queries and keys get components of size sqrt(scoreScale).
      query: matrix(heads * headWidth, width, Math.sqrt(scoreScale)),
      key: matrix(keyValueHeads * headWidth, width, Math.sqrt(scoreScale)),
      value: matrix(keyValueHeads * headWidth, width),
      output: matrix(width, heads * headWidth),
      mlpNorm: ones,
      gate: matrix(feedForwardWidth, width),
      up: matrix(feedForwardWidth, width),
      down: matrix(width, feedForwardWidth),
    })),
  };
}
