import { normal } from '../../../core/math/random';
import type { ModelShape } from '../../../core/shapes';
import type { ModelConfig } from './architecture';
import { plainLlama } from './architectures/llama';
import type { StoredWeight, StoredWeights, Weight, Weights } from './weights';
import type { LoadedModel } from './load';

/** Properties of a random model's attention. */
interface RandomModelOptions {
  readonly seed: number;
  /** Standard deviation of the scores. */
  readonly scoreScale: number;
  /** Share of a token's embedding that is its own; the rest is common to all tokens and makes their values similar. */
  readonly variety: number;
}

/** A Llama model with random weights: data for testing a theorem at any shape. */
export function randomModel(shape: ModelShape, { seed, scoreScale, variety }: RandomModelOptions): LoadedModel {
  const next = normal(seed);
  const common = Float32Array.from({ length: shape.width }, next);
  return fillModel('random', plainLlama(shape), (name, { shape: [outputs, inputs] }) => {
    if (name === 'words') {
      return Float32Array.from({ length: outputs * inputs }, (_, index) => (1 - variety) * common[index % inputs] + variety * next());
    }
    if (name.endsWith('NormWeight')) {
      return new Float32Array(outputs).fill(1);
    }
    // Normalised tokens have components of size 1, so queries and keys get components of size sqrt(scoreScale).
    const size = name === 'queryWeight' || name === 'keyWeight' ? Math.sqrt(scoreScale) : 1;
    return Float32Array.from({ length: outputs * inputs }, () => (size * next()) / Math.sqrt(inputs));
  });
}

/**
 * A model with computed weights. @param data returns a weight's numbers, as many as its shape says, from its name and its
 * place in a checkpoint
 */
export function fillModel(name: string, config: ModelConfig, data: (name: string, stored: StoredWeight) => Float32Array): LoadedModel {
  const made = new Map<string, Weight>();
  const fill = <Name extends string>(weights: StoredWeights<Name>): Weights<Name> =>
    Object.fromEntries(
      Object.entries(weights as Readonly<Record<string, StoredWeight>>).map(([key, stored]) => {
        const weight = made.get(stored.tensor) ?? { shape: stored.shape, data: data(key, stored) };
        made.set(stored.tensor, weight);
        return [key, weight];
      }),
    ) as unknown as Weights<Name>;
  const { embedding, layers, head } = config.checkpoint;
  return {
    ...config,
    name,
    folder: '',
    embedding: fill(embedding) as LoadedModel['embedding'],
    layers: layers.map(({ project, attend = {}, outputAndMlp }, index) => ({
      project: fill(project),
      attend: fill(attend),
      outputAndMlp: fill(outputAndMlp),
      rotary: config.rotary?.[index],
    })),
    head: fill(head),
  };
}
