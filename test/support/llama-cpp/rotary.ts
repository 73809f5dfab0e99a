import { rotatedColumns, type RopeScaling, type RotaryEmbedding } from '../../../src/engine/read/model/rope';
import { count, real, text, type Metadata } from './gguf-file';

/** Turns at the fast and the slow end of YaRN's ramp in llama.cpp: it reads no others from the files of these architectures. */
export const yarnTurns = { fast: 32, slow: 1 };

/** llama.cpp leaves out the rope of every fourth layer of a SmolLM3, whatever a file says. */
const ropelessLayer = 4;

/** Why llama.cpp cannot rotate as a model does; undefined where it can. */
export function rotaryRefusal(rotary: readonly (RotaryEmbedding | undefined)[]): string | undefined {
  const ropeless = rotary.some((one) => one === undefined);
  if (ropeless && rotary.some((one, layer) => (one === undefined) !== ((layer + 1) % ropelessLayer === 0))) {
    return `llama.cpp leaves out the rope of every ${ropelessLayer}th layer, and of no others`;
  }
  return rotary[0] && embeddingRefusal(rotary[0]);
}

function embeddingRefusal({ scaling }: RotaryEmbedding): string | undefined {
  if (scaling.type === 'dynamic') {
    return 'llama.cpp has no base that grows with the prompt (dynamic scaling)';
  }
  if (scaling.type === 'yarn' && (scaling.fastTurns !== yarnTurns.fast || scaling.slowTurns !== yarnTurns.slow || !scaling.truncate)) {
    return `llama.cpp has YaRN's ramp from ${yarnTurns.fast} turns to ${yarnTurns.slow}, in whole columns, and no other`;
  }
  return undefined;
}

/** What a GGUF file says of a rotary embedding, names without the architecture before them. @throws Error where llama.cpp has none like it */
export function rotaryMetadata(rotary: RotaryEmbedding, headWidth: number): Metadata {
  const refusal = embeddingRefusal(rotary);
  if (refusal !== undefined) {
    throw new Error(refusal);
  }
  return {
    'rope.freq_base': real(rotary.theta),
    'rope.dimension_count': count(rotatedColumns(rotary, headWidth)),
    ...scalingMetadata(rotary.scaling),
  };
}

function scalingMetadata(scaling: RopeScaling): Metadata {
  switch (scaling.type) {
    case 'linear':
      return { 'rope.scaling.type': text('linear'), 'rope.scaling.factor': real(scaling.factor) };
    case 'yarn':
      return {
        'rope.scaling.type': text('yarn'),
        'rope.scaling.factor': real(scaling.factor),
        'rope.scaling.original_context_length': count(scaling.trainedTokens),
        // llama.cpp multiplies by YaRN's default itself.
        'rope.scaling.attn_factor': real(scaling.attentionFactor / (1 + 0.1 * Math.log(scaling.factor))),
      };
    case 'longrope':
      return {
        'rope.scaling.original_context_length': count(scaling.trainedTokens),
        'rope.scaling.attn_factor': real(scaling.attentionFactor),
      };
    default:
      return {};
  }
}

/**
 * What each column's frequency is divided by, `[m / 2]`, where that is no matter of metadata: Llama 3.1's scaling, which whoever
 * writes the file works out. Columns that turn `highFrequencyFactor` times or more in the trained length stay as they are.
 */
export function frequencyDivisors({ theta, scaling }: RotaryEmbedding, headWidth: number): Float32Array | undefined {
  if (scaling.type !== 'llama3') {
    return undefined;
  }
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, trainedTokens } = scaling;
  return Float32Array.from({ length: headWidth / 2 }, (_, column) => {
    const turns = trainedTokens / (2 * Math.PI * theta ** ((2 * column) / headWidth));
    const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
    return 1 / (kept + (1 - kept) / factor);
  });
}
