import { InputError } from '../errors';
import { uniform } from '../math/random';
import { repeatedValues, type RetrievalCase, type RetrievalRequest } from './retrieval';

/** The statements of a case, and what is asked of them. */
export interface Statements {
  /** With the share of the haystack before each; those of one depth in their order. */
  readonly hidden: readonly { readonly text: string; readonly depth: number }[];
  readonly question: string;
  /** With the white space that it starts with. */
  readonly answer: string;
}

/** A case of a request, with the seed of what is drawn for it. */
interface SeededCase extends RetrievalCase {
  readonly seed: number;
}

/** The cases of a request, in order. */
export function retrievalCases({ tasks, hops, lengths, depths, seed }: RetrievalRequest): SeededCase[] {
  const each = tasks.flatMap((task): Pick<RetrievalCase, 'task' | 'hops'>[] =>
    task === 'chains' ? hops.map((count) => ({ task, hops: count })) : [{ task, hops: null }],
  );
  return each
    .flatMap((what) => lengths.flatMap((length) => depths.map((depth) => ({ ...what, length, depth }))))
    .map((what, index) => ({ ...what, seed: (seed + 0x9e3779b1 * (index + 1)) >>> 0 }));
}

const letters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ');
const digits = Array.from('0123456789');

/** Keys of the task `several`. */
const severalKeys = 4;

/** Digits of a key's value, so many that no model guesses it. */
const valueDigits = 4;

/**
 * Variables with another value that are defined on each side of a chain's value: whoever lost the chain and takes any value that
 * follows `var _ =` takes theirs.
 */
const decoys = 2;

/**
 * Draws the statements of a case.
 *
 * @param haystack what lies around them: its own names of variables are not taken
 * @throws InputError where the haystack leaves too few names
 */
export function statementsOf(
  { task, hops, depth, seed }: SeededCase,
  { needle, question, answer }: RetrievalRequest,
  haystack: string,
): Statements {
  const next = uniform(seed);
  const here = (...texts: readonly string[]): Statements['hidden'] => texts.map((text) => ({ text, depth }));
  const scattered = (texts: readonly string[]): Statements['hidden'] => texts.map((text) => ({ text, depth: next() }));
  switch (task) {
    case 'single':
      return { hidden: here(needle), question, answer };
    case 'several': {
      const [asked, ...others] = drawn(next, letters, severalKeys).map((key) => {
        const value = Array.from({ length: valueDigits }, () => drawn(next, digits, 1)).join('');
        return { question: roomOf(key), answer: ` ${value}` };
      });
      return { ...asked, hidden: [...here(sentence(asked)), ...scattered(others.map(sentence))] };
    }
    case 'repeated': {
      const [key] = drawn(next, letters, 1);
      const [asked, ...others] = drawn(next, digits, repeatedValues).map((value) => ({ question: roomOf(key), answer: ` ${value}` }));
      return { ...asked, hidden: [...here(sentence(asked)), ...scattered(others.map(sentence))] };
    }
    case 'chains': {
      const count = hops ?? 1;
      const needed = count + 2 * decoys;
      const chain = drawn(next, freeNames(haystack, needed), needed);
      const others = chain.splice(count);
      const [value, wrong] = drawn(next, digits, 2);
      const [before, after] = [others.slice(decoys), others.slice(0, decoys)].map((names) => names.map((name) => definition(name, wrong)));
      const links = chain.slice(1).map((name, index) => definition(name, chain[index]));
      return {
        hidden: [...here(...before, definition(chain[0], value), ...after), ...scattered(links)],
        question: `\nvar ${chain[count - 1]} =`,
        answer: ` ${value}`,
      };
    }
  }
}

function roomOf(key: string): string {
  return `\nThe access code of room ${key} is`;
}

function sentence({ question, answer }: Pick<Statements, 'question' | 'answer'>): string {
  return `${question}${answer}.\n`;
}

function definition(name: string, value: string): string {
  return `\nvar ${name} = ${value}\n`;
}

/**
 * Names that the haystack defines nowhere, as in `N = 5`: of the letters that `induction-bytes` holds equally unlike, so that a
 * chain that is cut is not found after all through a name that resembles the one that is asked for.
 */
function freeNames(haystack: string, needed: number): readonly string[] {
  const taken = new Set(Array.from(haystack.matchAll(/[A-Z](?=.=)/gs), ([name]) => name));
  const free = letters.slice(0, 15).filter((name) => !taken.has(name));
  if (free.length < needed) {
    throw new InputError(
      `The haystack defines ${15 - free.length} of the variables A to O, and a chain needs ${needed} others; use another text, or generated filler.`,
    );
  }
  return free;
}

/** Some of a list, each once, in a random order. */
function drawn(next: () => number, from: readonly string[], count: number): string[] {
  const left = [...from];
  return Array.from({ length: count }, () => left.splice(Math.floor(next() * left.length), 1)[0]);
}

const words =
  'about after again autumn became before began better beyond brought called came carried children could during early evening every family father field found garden going great green ground hands heard heavy house large later leaves light little looked making many morning mother mountain never night north often older other people place quiet rather river road round seemed should small something sound south stood stone summer their there these things though thought through toward travel trees under until upon valley village walked water weather where while white winter without wood would years young'.split(
    ' ',
  );

/** Random English of at least `length` characters, in sentences; without capital letters but at their beginning. */
export function generatedFiller(length: number, seed: number): string {
  const next = uniform(seed);
  const sentences: string[] = [];
  for (let written = 0; written < length; written += sentences[sentences.length - 1].length) {
    const own = Array.from({ length: 6 + Math.floor(8 * next()) }, () => words[Math.floor(next() * words.length)]).join(' ');
    sentences.push(`${own.charAt(0).toUpperCase()}${own.slice(1)}. `);
  }
  return sentences.join('');
}

/** Token ids of statements in their haystack. */
interface PlacedStatements {
  /** `[length]`: the prefix, the haystack with the statements in it, and the question. */
  readonly tokens: Int32Array;
  /** Index of the first token of each statement, as they were given. */
  readonly starts: readonly number[];
}

/**
 * Hides statements, exact to the token: as much haystack as makes the whole `length` tokens long.
 *
 * @param haystack token ids, of which the first ones are read
 * @param statements token ids, and the share of the haystack tokens that lie before each, rounded to a token: 0 is the start, 1
 *   just before the question
 * @param prefix token ids that stay first, such as the beginning of sequence
 * @throws InputError for a depth outside [0, 1], a length that leaves no room and a haystack that does not fill it
 */
export function placeStatements(
  haystack: Int32Array,
  statements: readonly { readonly tokens: ArrayLike<number>; readonly depth: number }[],
  question: ArrayLike<number>,
  length: number,
  prefix: readonly number[] = [],
): PlacedStatements {
  const outside = statements.find(({ depth }) => !(depth >= 0 && depth <= 1));
  if (outside !== undefined) {
    throw new InputError(`Retrieval depth ${outside.depth} is not between 0 and 1; use 0 for the start of the text, 1 for its end.`);
  }
  const fixed = prefix.length + question.length + statements.reduce((sum, { tokens }) => sum + tokens.length, 0);
  if (!Number.isInteger(length) || length < fixed) {
    throw new InputError(
      `Retrieval length ${length} has no room for the statements and their question; use a whole number from ${fixed} tokens on.`,
    );
  }
  const filling = length - fixed;
  if (filling > haystack.length) {
    throw new InputError(
      `The haystack has ${haystack.length} tokens and a retrieval case of length ${length} takes ${filling}; use a longer text, generated filler, or a length of at most ${fixed + haystack.length}.`,
    );
  }
  const places = statements.map(({ depth }) => Math.round(depth * filling));
  const order = places.map((_, index) => index).sort((one, other) => places[one] - places[other] || one - other);
  const tokens = new Int32Array(length);
  tokens.set(prefix);
  const starts: number[] = [];
  let read = 0;
  let at = prefix.length;
  for (const index of order) {
    tokens.set(haystack.subarray(read, places[index]), at);
    at += places[index] - read;
    read = places[index];
    starts[index] = at;
    tokens.set(statements[index].tokens, at);
    at += statements[index].tokens.length;
  }
  tokens.set(haystack.subarray(read, filling), at);
  tokens.set(question, length - question.length);
  return { tokens, starts };
}

/** Tokens of what was asked that the haystack must not have in a row: so many tell `induction-bytes` what comes next. */
const tellingTokens = 8;

/**
 * Where the haystack itself has what is asked for, so that more than the statements would answer: the index of the last token of
 * up to eight that end the question, or the question and a part of the answer; undefined where it has none.
 *
 * @param tokens `[length]` with the statements in it
 * @param own ranges of the statements in it, first token to after the last
 */
export function accidentalMatch(
  tokens: Int32Array,
  own: readonly { readonly from: number; readonly to: number }[],
  question: ArrayLike<number>,
  answer: readonly number[],
): number | undefined {
  const asked = [...Array.from(question), ...answer];
  const end = tokens.length - question.length;
  for (let count = question.length; count < asked.length; count += 1) {
    const pattern = asked.slice(Math.max(0, count - tellingTokens), count);
    for (let last = pattern.length - 1; last < end; last += 1) {
      const matches = pattern.every((token, index) => tokens[last - pattern.length + 1 + index] === token);
      if (matches && !own.some(({ from, to }) => last >= from && last < to)) {
        return last;
      }
    }
  }
  return undefined;
}
