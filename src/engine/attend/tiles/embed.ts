import { InputError } from '../../../core/errors';
import { exceedsPositions } from '../../../core/plan/context-length';
import type { Norm } from '../../read/model/architecture';
import type { LoadedModel } from '../../read/model/load';
import { rowOf } from '../../read/model/weights';

/**
 * The residual stream `[N, d]` before the first layer: a token's word embedding, by the model's multiplier, its learned
 * position and segment if the model has them, and a norm of their sum if it has one.
 *
 * @param positionOf position of a row, if it is not the row's index
 * @throws InputError for a sequence longer than the model's positions, and a token that its vocabulary does not have
 */
export function embed(model: LoadedModel, tokens: Int32Array, positionOf: (row: number) => number = (row) => row): Float32Array {
  const { words, positions, segments, embeddingNormWeight, embeddingNormBias } = model.embedding;
  const { width } = model.shape;
  const factor = model.multipliers?.embedding ?? 1;
  const hidden = new Float32Array(tokens.length * width);
  for (const [row, token] of tokens.entries()) {
    const target = hidden.subarray(row * width, (row + 1) * width);
    checkToken(token, model);
    target.set(rowOf(words, token));
    if (factor !== 1) {
      target.forEach((x, column) => (target[column] = factor * x));
    }
    if (positions !== undefined) {
      checkPosition(positionOf(row), model);
      addTo(target, rowOf(positions, positionOf(row)));
    }
    if (segments !== undefined) {
      // Every prompt is a single segment, the first.
      addTo(target, rowOf(segments, 0));
    }
    if (embeddingNormWeight !== undefined) {
      normalise(target, model.norm, embeddingNormWeight.data, embeddingNormBias?.data);
    }
  }
  return hidden;
}

/** Refuses a sequence longer than the model's positions. @throws InputError that names both lengths */
export function checkLength(tokens: number, { name, shape }: Pick<LoadedModel, 'name' | 'shape'>): void {
  if (exceedsPositions(tokens, shape)) {
    throw new InputError(
      `The prompt has ${tokens} tokens and ${name} has positions for ${shape.maximumTokens}; cut it with --max-tokens ${shape.maximumTokens}.`,
    );
  }
}

/** Refuses a token id that a model does not have. @throws InputError that names it */
export function checkToken(token: number, { name, shape }: Pick<LoadedModel, 'name' | 'shape'>): void {
  if (token >= shape.vocabulary) {
    throw new InputError(`Token ${token} is not in the vocabulary of ${name}, which has ${shape.vocabulary}; give it its own tokenizer's.`);
  }
}

function checkPosition(position: number, model: LoadedModel): void {
  checkLength(position + 1, model);
}

function addTo(target: Float32Array, more: Float32Array): void {
  for (let column = 0; column < target.length; column += 1) {
    target[column] += more[column];
  }
}

/** The norm of the graphs (see `normalise` in graphs/tokenwise.ts), in float64; embeddings are looked up outside graphs. */
function normalise(row: Float32Array, { kind, epsilon }: Norm, weight: Float32Array, bias: Float32Array | undefined): void {
  const mean = kind === 'rms' ? 0 : row.reduce((sum, x) => sum + x, 0) / row.length;
  const size = Math.sqrt(row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / row.length + epsilon);
  for (let column = 0; column < row.length; column += 1) {
    row[column] = ((row[column] - mean) / size) * weight[column] + (bias?.[column] ?? 0);
  }
}
