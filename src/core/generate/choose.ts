/** How the next token is chosen. */
export interface SamplingOptions {
  /** What logits are divided by; 0 is greedy: always the most likely token. */
  readonly temperature: number;
  /** Only so many of the most likely tokens are left; 0 leaves all. */
  readonly topK: number;
  /** Only the fewest most likely tokens whose probabilities come to this are left; 1 leaves all. */
  readonly topP: number;
  readonly seed: number;
}

/** The most likely token, always. */
export const greedy: SamplingOptions = { temperature: 0, topK: 0, topP: 1, seed: 1 };

/** A chosen token. */
interface ChosenToken {
  readonly token: number;
  /** By the model itself, without temperature or cuts, in nats. */
  readonly logProbability: number;
}

/**
 * Chooses a token from logits `[vocabulary]`: temperature first, then the cut by rank, then by probability, as Hugging Face
 * transformers does; of equal tokens the lower id comes first.
 *
 * @param random uniform numbers in [0, 1); asked once a token, and not at all where the choice is greedy
 * @returns undefined where the logits are no numbers, as those of a run that overflowed
 */
export function chooseToken(
  logits: Float32Array,
  { temperature, topK, topP }: SamplingOptions,
  random: () => number,
): ChosenToken | undefined {
  const highest = logits.reduce((best, value) => (value > best ? value : best), -Infinity);
  const logSum = highest + Math.log(logits.reduce((sum, value) => sum + Math.exp(value - highest), 0));
  if (!Number.isFinite(logSum)) {
    return undefined;
  }
  const chosen = (token: number): ChosenToken => ({ token, logProbability: logits[token] - logSum });
  if (temperature === 0) {
    return chosen(logits.indexOf(highest));
  }
  // The sort is stable, so ids of equal logits stay in order.
  const order = Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a]);
  const kept = topK === 0 ? order : order.slice(0, topK);
  const weights = kept.map((token) => Math.exp((logits[token] - highest) / temperature));
  const nucleus = fewest(weights, topP);
  let left = random() * sum(weights.slice(0, nucleus));
  const index = weights.findIndex((weight, at) => at === nucleus - 1 || (left -= weight) < 0);
  return chosen(kept[index]);
}

/** How many of descending weights come to a share of their sum. */
function fewest(weights: readonly number[], share: number): number {
  if (share >= 1) {
    return weights.length;
  }
  const needed = share * sum(weights);
  let total = 0;
  return weights.findIndex((weight) => (total += weight) >= needed) + 1 || weights.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
