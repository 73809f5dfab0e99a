import { InputError } from '../errors';
import { defaultsOf, type OptionTable, pick, type ValuesOf } from '../options/option';
import { maximumTokens } from '../plan/partition';
import { quoted } from '../text/printable';

/** Look-ups that the longest chain takes. */
const longestChain = 4;

/**
 * Every option of the retrieval suite, whose tasks are those of RULER (Hsieh et al., arXiv 2404.06654) that need no
 * generation: statements that a long text hides, and a question that only they answer. A single needle is Kamradt's
 * (github.com/gkamradt/LLMTest_NeedleInAHaystack, 2023). The question repeats a statement's words, so that copying them is
 * enough for a small base language model.
 */
export const retrievalTable = {
  tasks: {
    flag: 'retrieval',
    symbol: 'task,...',
    description: 'Also hide statements in a text, and score what is asked of them: one task or several.',
    value: {
      type: 'list',
      of: {
        type: 'choice',
        noun: 'Retrieval task',
        choices: [
          { value: 'single', description: 'One sentence, the needle.' },
          { value: 'several', description: 'Four sentences that differ in their keys, of which one is asked for.' },
          { value: 'chains', description: 'Variables that are defined by others, to be followed to a value.' },
          { value: 'repeated', description: 'One key with three values; each of them is right.' },
        ],
      },
    },
    default: ['single'],
    of: 'quality',
  },
  lengths: {
    flag: 'retrieval-lengths',
    symbol: 'n,...',
    description: 'Tokens of the context of each case, special tokens, statements and question included.',
    value: { type: 'list', of: { type: 'whole', minimum: 1, maximum: maximumTokens } },
    required: true,
  },
  depths: {
    flag: 'retrieval-depths',
    symbol: 'x,...',
    description: 'Share of the haystack that lies before the statement with the answer: 0 is the start, 1 just before the question.',
    value: { type: 'list', of: { type: 'number', minimum: 0, maximum: 1 } },
    default: [0, 0.25, 0.5, 0.75, 1],
  },
  hops: {
    flag: 'retrieval-hops',
    symbol: 'n,...',
    description: 'Look-ups that a chain takes: 1 is a variable with a value, 2 one that is defined by another.',
    value: { type: 'list', of: { type: 'whole', minimum: 1, maximum: longestChain } },
    default: [1, 2, 3, 4],
  },
  filler: {
    flag: 'retrieval-filler',
    symbol: 'what',
    description: 'The haystack.',
    value: {
      type: 'choice',
      noun: 'Filler',
      choices: [
        { value: 'prompt', description: 'The text of the prompts.' },
        { value: 'generated', description: 'Random English words.' },
      ],
    },
    default: 'prompt',
  },
  seed: {
    flag: 'retrieval-seed',
    symbol: 'n',
    description: 'Seed of keys, values, places of other statements, and generated filler.',
    value: { type: 'whole', minimum: 0, maximum: 2 ** 32 - 1 },
    default: 0,
  },
  needle: {
    flag: 'retrieval-needle',
    symbol: 'text',
    description:
      'The sentence of the task `single`, which holds the question and right after it the answer, with the white space that sets it off.',
    value: { type: 'text' },
    default: '\nThe access code of the archive is 7319.\n',
  },
  question: {
    flag: 'retrieval-question',
    symbol: 'text',
    description: 'What the answer of `single` continues, at the end of the context.',
    value: { type: 'text' },
    default: '\nThe access code of the archive is',
  },
  answer: {
    flag: 'retrieval-answer',
    symbol: 'text',
    description: 'The answer of `single` whose rank and probability are scored, with the white space that it starts with.',
    value: { type: 'text' },
    default: ' 7319',
  },
} as const satisfies OptionTable;

/** What is hidden and asked: a case for every task, length and depth, and for chains every number of look-ups. */
export type RetrievalRequest = ValuesOf<typeof retrievalTable>;

export type RetrievalTask = RetrievalRequest['tasks'][number];

/** The needle that is hidden where a user names no other. */
export const defaultNeedle: Pick<RetrievalRequest, 'needle' | 'question' | 'answer'> = defaultsOf(
  pick(retrievalTable, 'needle', 'question', 'answer'),
);

/**
 * Refuses a needle that does not go on from its question with its answer: nothing in the text would answer, and the case be lost
 * under any mask.
 *
 * @throws InputError that names what is wrong of the three, and the fix
 */
export function checkNeedle({ tasks, ...texts }: Pick<RetrievalRequest, 'tasks' | 'needle' | 'question' | 'answer'>): void {
  if (!tasks.includes('single')) {
    return;
  }
  const { needle, question, answer } = retrievalTable;
  for (const [name, { flag }] of Object.entries({ needle, question, answer })) {
    const own = name as keyof typeof texts;
    if (texts[own].trim() === '') {
      throw new InputError(`The ${name} of retrieval is empty; give one with --${flag}, such as ${quoted(defaultNeedle[own].trim())}.`);
    }
  }
  const whole = `${texts.question}${texts.answer}`.trim();
  const from = texts.needle.indexOf(whole);
  if (from < 0) {
    throw new InputError(
      `The needle ${quoted(texts.needle.trim())} does not hold the question with the answer right after it, ${quoted(whole)}; give --${needle.flag}, --${question.flag} and --${answer.flag} that fit.`,
    );
  }
  // Scripts that leave no space between words have no such seam.
  const end = from + whole.length;
  if (/^(\p{N}{2}|[\p{Lu}\p{Ll}]{2})$/u.test(texts.needle.slice(end - 1, end + 1))) {
    throw new InputError(
      `The needle ${quoted(texts.needle.trim())} goes on within the last word of the answer ${quoted(texts.answer.trim())}; give --${answer.flag} whole words.`,
    );
  }
}

/** What is asked, and where what answers it lies. */
export interface RetrievalCase {
  readonly task: RetrievalTask;
  /** Look-ups of a chain; null of other tasks. */
  readonly hops: number | null;
  /** Tokens of the context. */
  readonly length: number;
  /** Share of the haystack before the statement with the answer. */
  readonly depth: number;
}

/** Whether a model found what was asked for. */
export type Outcome = 'found' | 'lost';

/** What a model made of a case. */
export interface RetrievalScore extends RetrievalCase {
  /** `found` where every token of the answer ranks no lower than there are right answers: first, but for repeated keys. */
  readonly measured: Outcome;
  /**
   * What the mask gives by definition, computed from its predicate without running anything; null where that is not known: of
   * any model but `induction-bytes`, of a sampled mask, and of a case that is too near to call.
   */
  readonly expected: Outcome | null;
  /** Natural logarithm of the answer's probability: the sum over its tokens. */
  readonly logProbability: number;
  /** The worst rank of an answer's token among all tokens, from 1; NaN where the probability is, which is lost. */
  readonly rank: number;
  /** Under the model's own attention. */
  readonly baselineLogProbability: number;
  readonly baselineRank: number;
}

/** A scenario's retrieval. */
export interface RetrievalReport {
  readonly cases: readonly RetrievalScore[];
  /** Cases that were found. */
  readonly found: number;
  /** Cases that are found by definition; null where nothing is known of any. */
  readonly expected: number | null;
  /** Cases with an expectation that the measurement does not meet: faults of the run, not of the model. */
  readonly differing: number;
}

/** Sums up the cases of a scenario. */
export function retrievalReport(cases: readonly RetrievalScore[]): RetrievalReport {
  const known = cases.filter(({ expected }) => expected !== null);
  return {
    cases,
    found: cases.filter(({ measured }) => measured === 'found').length,
    expected: known.length === 0 ? null : known.filter(({ expected }) => expected === 'found').length,
    differing: known.filter(({ expected, measured }) => expected !== measured).length,
  };
}

/** The right answers of a case: a token that ranks no lower is found. */
export function rightAnswers(task: RetrievalTask): number {
  return task === 'repeated' ? repeatedValues : 1;
}

/** Values of a repeated key. With one more, the code of `induction-bytes` would not tell them from others. */
export const repeatedValues = 3;

/** Cases as a table or a heat map shows them: a row for each task and length. */
export interface RetrievalGrid {
  /** Ascending. */
  readonly depths: readonly number[];
  readonly rows: readonly (Omit<RetrievalCase, 'depth'> & {
    /** By depth; null where there was no case. */
    readonly cells: readonly (RetrievalScore | null)[];
  })[];
}

/** Lays cases out by task, length and depth. */
export function retrievalGrid(cases: readonly RetrievalScore[]): RetrievalGrid {
  const depths = [...new Set(cases.map(({ depth }) => depth))].sort((one, other) => one - other);
  const rows = new Map<string, RetrievalScore[]>();
  for (const each of cases) {
    const key = `${each.task} ${each.hops} ${each.length}`;
    rows.set(key, [...(rows.get(key) ?? []), each]);
  }
  return {
    depths,
    rows: [...rows.values()].map((own) => {
      const [{ task, hops, length }] = own;
      return { task, hops, length, cells: depths.map((depth) => own.find((each) => each.depth === depth) ?? null) };
    }),
  };
}
