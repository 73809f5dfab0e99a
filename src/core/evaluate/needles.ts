import { InputError } from '../errors';

/**
 * A needle in a haystack (Kamradt, github.com/gkamradt/LLMTest_NeedleInAHaystack, 2023): a sentence that a long text hides,
 * and a question that only it answers.
 *
 * Scored by the probability and rank of the answer's tokens, not by generated wording, so that a base model can take part.
 */
export interface NeedleTask {
  /** The hidden sentence, with the white space that sets it off from the text around it. */
  readonly needle: string;
  /** What the answer continues, at the end of the context. */
  readonly question: string;
  /** With the white space that it starts with. */
  readonly answer: string;
}

/** A needle for a small base language model: the question repeats the needle's words, so that copying them is enough. */
export const defaultNeedle: NeedleTask = {
  needle: '\nThe access code of the archive is 7319.\n',
  question: '\nThe access code of the archive is',
  answer: ' 7319',
};

/** Token ids of one needle test. */
export interface PlacedNeedle {
  /** `[length]`: the prefix, the haystack with the needle in it, and the question. */
  readonly tokens: Int32Array;
  /** Index of the needle's first token. */
  readonly needleStart: number;
  /** Index that the answer's first token gets, which the last of `tokens` predicts: `length`. */
  readonly answerAt: number;
}

/**
 * Hides a needle, exact to the token: as much haystack as makes the whole `length` tokens long.
 *
 * @param haystack token ids, of which the first ones are read
 * @param depth share of the haystack tokens that lie before the needle, rounded to a token: 0 is the start, 1 just before the question
 * @param prefix token ids that stay first, such as the beginning of sequence
 * @throws InputError for a depth outside [0, 1], a length that leaves no room and a haystack that does not fill it
 */
export function placeNeedle(
  haystack: ArrayLike<number>,
  needleTokens: ArrayLike<number>,
  questionTokens: ArrayLike<number>,
  length: number,
  depth: number,
  prefix: readonly number[] = [],
): PlacedNeedle {
  if (!(depth >= 0 && depth <= 1)) {
    throw new InputError(`Needle depth ${depth} is not between 0 and 1; use 0 for the start of the text, 1 for its end.`);
  }
  const fixed = prefix.length + needleTokens.length + questionTokens.length;
  if (!Number.isInteger(length) || length < fixed) {
    throw new InputError(
      `Needle length ${length} has no room for the needle and its question; use a whole number from ${fixed} tokens on.`,
    );
  }
  const filling = length - fixed;
  if (filling > haystack.length) {
    throw new InputError(
      `The haystack has ${haystack.length} tokens and a needle test of length ${length} takes ${filling}; use a longer text or a length of at most ${fixed + haystack.length}.`,
    );
  }
  const before = Math.round(depth * filling);
  const parts = [prefix, slice(haystack, 0, before), needleTokens, slice(haystack, before, filling), questionTokens];
  return { tokens: Int32Array.from(parts.flatMap((part) => Array.from(part))), needleStart: prefix.length + before, answerAt: length };
}

function slice(tokens: ArrayLike<number>, from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => tokens[from + index]);
}
