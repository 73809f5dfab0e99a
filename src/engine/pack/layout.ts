import { separationVectors, type SeparationVector } from '../../core/construct/separation';

/** Where each prompt lies in a packed sequence, and what keeps it apart from the others. */
export interface PackLayout {
  /** N: all prompts together. */
  readonly tokens: number;
  /** w: entries of a separation vector; 0 for a prompt alone. */
  readonly separationWidth: number;
  readonly prompts: readonly PromptPlace[];
}

/** One prompt's rows `[from, to)` of the packed sequence. */
export interface PromptPlace {
  readonly from: number;
  readonly to: number;
  readonly separation: SeparationVector;
}

/**
 * Lays prompts side by side in the order given (theorem 4.2).
 *
 * The theorem's sequences all have M tokens; nothing in its proof needs that, so these have the lengths they have.
 * @param lengths tokens of each prompt, at least one prompt
 */
export function packLayout(lengths: readonly number[]): PackLayout {
  const vectors = separationVectors(lengths.length);
  let tokens = 0;
  const prompts = lengths.map((length, index) => {
    const from = tokens;
    tokens += length;
    return { from, to: tokens, separation: vectors[index] };
  });
  return { tokens, separationWidth: vectors[0].query.length, prompts };
}
