import { InputError } from '../errors';
import { defaultsOf, type OptionTable, pick, type ValuesOf } from '../options/option';
import { maximumTokens } from '../plan/partition';

/**
 * Every option of needles in a haystack (Kamradt, github.com/gkamradt/LLMTest_NeedleInAHaystack, 2023): a sentence that a long
 * text hides, and a question that only it answers. The defaults suit a small base language model: the question repeats the
 * needle's words, so that copying them is enough.
 */
export const needleTable = {
  needle: {
    flag: 'needle-text',
    symbol: 'text',
    description: 'The hidden sentence, with the white space that sets it off.',
    value: { type: 'text' },
    default: '\nThe access code of the archive is 7319.\n',
  },
  question: {
    flag: 'needle-question',
    symbol: 'text',
    description: 'What the answer continues, at the end of the context.',
    value: { type: 'text' },
    default: '\nThe access code of the archive is',
  },
  answer: {
    flag: 'needle-answer',
    symbol: 'text',
    description: 'The answer whose rank and probability are scored, with the white space that it starts with.',
    value: { type: 'text' },
    default: ' 7319',
  },
  lengths: {
    flag: 'needle-lengths',
    symbol: 'n,...',
    description: 'Tokens of the context of each test, special tokens, needle and question included.',
    value: { type: 'list', of: { type: 'whole', minimum: 1, maximum: maximumTokens } },
    required: true,
  },
  depths: {
    flag: 'needle-depths',
    symbol: 'x,...',
    description: 'Share of the haystack that lies before the needle: 0 is the start, 1 just before the question.',
    value: { type: 'list', of: { type: 'number', minimum: 0, maximum: 1 } },
    default: [0, 0.25, 0.5, 0.75, 1],
  },
} as const satisfies OptionTable;

/** A needle and what is asked of it; scored by the probability and rank of the answer's tokens, so that a base model can take part. */
type NeedleTask = Pick<ValuesOf<typeof needleTable>, 'needle' | 'question' | 'answer'>;

/** The needle that is hidden where a user names no other. */
export const defaultNeedle: NeedleTask = defaultsOf(pick(needleTable, 'needle', 'question', 'answer'));

/** Token ids of one needle test. */
interface PlacedNeedle {
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

/** What a model made of one needle test. */
export interface NeedleScore {
  /** Tokens of the context. */
  readonly length: number;
  /** Share of the haystack before the needle. */
  readonly depth: number;
  /** Natural logarithm of the answer's probability: the sum over its tokens. */
  readonly logProbability: number;
  /** The worst rank of an answer's token among all tokens, from 1: with 1 throughout, greedy decoding answers right. */
  readonly rank: number;
  /** Under the model's baseline attention. */
  readonly baselineLogProbability: number;
  readonly baselineRank: number;
}

/** The scores of one length and depth. */
export interface NeedleCell {
  /** Tests. */
  readonly count: number;
  /** Mean natural logarithm of the answer's probability. */
  readonly logProbability: number;
  readonly baselineLogProbability: number;
  /** Share of tests whose answer has rank 1; NaN where a rank is. */
  readonly found: number;
  readonly baselineFound: number;
  /** The worst rank. */
  readonly rank: number;
  readonly baselineRank: number;
}

/** Needle scores by length and depth, as a heat map shows them. */
export interface NeedleGrid {
  /** Ascending. */
  readonly lengths: readonly number[];
  readonly depths: readonly number[];
  /** `cells[length][depth]`; null where there was no test. */
  readonly cells: readonly (readonly (NeedleCell | null)[])[];
}

/** Sums up needle tests by length and depth. A NaN shows in the cell that it is of. */
export function needleGrid(scores: readonly NeedleScore[]): NeedleGrid {
  const [lengths, depths] = [distinct(scores.map(({ length }) => length)), distinct(scores.map(({ depth }) => depth))];
  const cells = lengths.map((length) =>
    depths.map((depth) => cellOf(scores.filter((score) => score.length === length && score.depth === depth))),
  );
  return { lengths, depths, cells };
}

function cellOf(scores: readonly NeedleScore[]): NeedleCell | null {
  if (scores.length === 0) {
    return null;
  }
  const mean = (of: (score: NeedleScore) => number): number => scores.reduce((sum, score) => sum + of(score), 0) / scores.length;
  const worst = (of: (score: NeedleScore) => number): number => Math.max(...scores.map(of));
  const found = (rank: number): number => (Number.isNaN(rank) ? NaN : Number(rank === 1));
  return {
    count: scores.length,
    logProbability: mean(({ logProbability }) => logProbability),
    baselineLogProbability: mean(({ baselineLogProbability }) => baselineLogProbability),
    found: mean(({ rank }) => found(rank)),
    baselineFound: mean(({ baselineRank }) => found(baselineRank)),
    rank: worst(({ rank }) => rank),
    baselineRank: worst(({ baselineRank }) => baselineRank),
  };
}

function distinct(values: readonly number[]): number[] {
  return [...new Set(values)].sort((one, other) => one - other);
}
