import { InputError } from '../../core/errors';
import { formatBytes, formatCount } from '../../core/format';
import type { PackScenario } from '../../core/pack/report';
import { usableMemory } from '../attend/runtime/machine';

/**
 * Bytes that a pair of tokens takes: per head for its score, and once for the causal flag.
 *
 * Scores and their softmax are float32, 8 bytes together. A causal flag is added to the scores, which ONNX Runtime does in
 * a second copy, and it keeps both beside those that it planned from the first call; the flag itself is folded in three steps.
 */
const pairBytes: Readonly<Record<PackScenario, { readonly score: number; readonly flag: number }>> = {
  full: { score: 8, flag: 0 },
  causal: { score: 16, flag: 12 },
};

/**
 * Refuses a packed length over the user's limit.
 *
 * @throws InputError that names the length and the limit
 */
export function checkPackedLength(tokens: number, maxTokens: number): void {
  if (tokens > maxTokens) {
    throw new InputError(
      `The prompts have ${formatCount(tokens)} tokens together and the limit is ${formatCount(maxTokens)}, because one call without a mask holds N^2 scores; give fewer prompts or raise --max-tokens.`,
    );
  }
}

/**
 * Refuses a packed length whose scores would not fit into memory, before the model is loaded.
 *
 * @param allowed bytes that the scores may take
 * @throws InputError that names what is needed, what there is, and the length that fits
 */
export function checkPackMemory(heads: number, tokens: number, scenario: PackScenario, allowed = usableMemory()): void {
  const perPair = pairBytes[scenario].score * heads + pairBytes[scenario].flag;
  const needed = perPair * tokens ** 2;
  if (needed > allowed) {
    const fitting = Math.floor(Math.sqrt(allowed / perPair));
    throw new InputError(
      `One ${scenario} call over ${formatCount(tokens)} tokens needs ${formatBytes(needed)} for the scores of ${heads} heads and ${formatBytes(allowed)} may be used; give prompts of at most ${formatCount(fitting)} tokens together.`,
    );
  }
}
