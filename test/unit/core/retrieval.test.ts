import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/core/errors';
import { defaultRetrieval } from '../../../src/core/evaluate/experiment';
import {
  defaultNeedle,
  retrievalGrid,
  retrievalReport,
  type RetrievalRequest,
  type RetrievalScore,
} from '../../../src/core/evaluate/retrieval';
import {
  accidentalMatch,
  generatedFiller,
  placeStatements,
  retrievalCases,
  statementsOf,
} from '../../../src/core/evaluate/retrieval-cases';
import { outcomeText, retrievalText, taskLabel } from '../../../src/core/evaluate/rows';

const haystack = Int32Array.from({ length: 50 }, (_, index) => 100 + index);
const question = [1, 2];

describe('statements in a haystack', () => {
  it.each([
    [0, [9, 1, 2, 3, 100, 101, 102, 103, 1, 2], 1],
    [0.5, [9, 100, 101, 1, 2, 3, 102, 103, 1, 2], 3],
    [1, [9, 100, 101, 102, 103, 1, 2, 3, 1, 2], 5],
  ])('lie at depth %d', (depth, tokens, start) => {
    expect(placeStatements(haystack, [{ tokens: [1, 2, 3], depth }], question, 10, [9])).toEqual({
      tokens: Int32Array.from(tokens),
      starts: [start],
    });
  });

  it('are placed exactly, at any length and depth, those of one place in their order', () => {
    const depths = fc.array(fc.constantFrom(0, 0.25, 0.3, 1), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 50 }), depths, fc.array(fc.constant(9), { maxLength: 2 }), (length, at, prefix) => {
        const statements = at.map((depth, index) => ({ tokens: [10 * (index + 1), 10 * (index + 1) + 1, 7], depth }));
        const { tokens, starts } = placeStatements(haystack, statements, question, length, prefix);
        expect(tokens).toHaveLength(length);
        expect([...tokens.subarray(length - 2)]).toEqual(question);
        expect([...tokens.subarray(0, prefix.length)]).toEqual(prefix);
        statements.forEach((statement, index) => {
          expect([...tokens.subarray(starts[index], starts[index] + 3)]).toEqual(statement.tokens);
          if (index > 0 && at[index] === at[index - 1]) {
            expect(starts[index]).toBe(starts[index - 1] + 3);
          }
        });
        // The rest is the haystack's beginning, in order.
        const rest = [...tokens].slice(prefix.length, length - 2).filter((token) => token >= 100);
        expect(rest).toEqual([...haystack].slice(0, length - 2 - prefix.length - 3 * at.length));
      }),
    );
  });

  it.each([
    ['a depth above 1', 20, 1.5, 'Retrieval depth 1.5 is not between 0 and 1'],
    ['no depth', 20, NaN, 'Retrieval depth NaN is not between 0 and 1'],
    [
      'a length without room',
      4,
      0.5,
      'Retrieval length 4 has no room for the statements and their question; use a whole number from 5 tokens on.',
    ],
    ['a broken length', 20.5, 0.5, 'Retrieval length 20.5'],
    [
      'a short haystack',
      60,
      0.5,
      'The haystack has 50 tokens and a retrieval case of length 60 takes 55; use a longer text, generated filler, or a length of at most 55.',
    ],
  ])('refuse %s', (_, length, depth, message) => {
    const place = (): unknown => placeStatements(haystack, [{ tokens: [1, 2, 3], depth }], question, length);
    expect(place).toThrow(InputError);
    expect(place).toThrow(message);
  });

  it('are told from what the haystack has by accident', () => {
    const own = [{ from: 2, to: 5 }];
    expect(accidentalMatch(Int32Array.of(8, 8, 1, 2, 3, 8, 1, 9, 1, 2), own, [1, 2], [3])).toBeUndefined();
    expect(accidentalMatch(Int32Array.of(8, 8, 1, 2, 3, 8, 1, 2, 1, 2), own, [1, 2], [3])).toBe(7);
    // A part of the answer must not come by accident either: here the question is not there, but what follows its last seven tokens.
    const long = [1, 2, 3, 4, 5, 6, 7];
    const text = Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 50, 9, ...long);
    expect(accidentalMatch(text, [], long, [50])).toBe(7);
    expect(accidentalMatch(text, [{ from: 1, to: 9 }], long, [50, 51])).toBeUndefined();
  });
});

describe('the tasks', () => {
  const request: RetrievalRequest = {
    ...defaultRetrieval(400),
    tasks: ['single', 'several', 'chains', 'repeated'],
    lengths: [400],
    depths: [0.5],
  };

  it('are a case for every length and depth, and of chains for every number of look-ups', () => {
    const cases = retrievalCases({ ...request, lengths: [10, 20], depths: [0, 1] });
    expect(cases).toHaveLength(4 * (1 + 1 + 4 + 1));
    expect(new Set(cases.map(({ seed }) => seed)).size).toBe(cases.length);
    expect(retrievalCases(request).map(taskLabel)).toEqual([
      'single needle',
      'one of several',
      'chain of 1',
      'chain of 2',
      'chain of 3',
      'chain of 4',
      'repeated key',
    ]);
  });

  it('hide what answers the question, once or as often as is right', () => {
    for (let seed = 0; seed < 50; seed += 1) {
      for (const asked of retrievalCases({ ...request, seed })) {
        const { hidden, question: asks, answer } = statementsOf(asked, request, 'no names');
        const texts = hidden.map(({ text }) => text);
        const answering = texts.filter((text) => text.startsWith(asks));
        expect(answering).toHaveLength(asked.task === 'repeated' ? 3 : 1);
        expect(new Set(texts).size).toBe(texts.length);
        expect(answer).toMatch(/^ \d+$/);
        if (asked.task !== 'chains') {
          expect(texts.filter((text) => text.startsWith(`${asks}${answer}.`))).toHaveLength(1);
          continue;
        }
        const values = new Map(texts.map((text) => /^\nvar ([A-Z]) = (.)\n$/.exec(text)?.slice(1) as [string, string]));
        let name = asks.charAt(5);
        for (let hop = 0; hop < (asked.hops ?? 0); hop += 1) {
          expect(values.has(name)).toBe(true);
          name = values.get(name) ?? '';
        }
        expect(` ${name}`).toBe(answer);
        // Most values around it are others.
        expect([...values.values()].filter((value) => /\d/.test(value) && value !== name)).toHaveLength(4);
      }
    }
  });

  it('take no name of a variable that the haystack defines, and are refused where none is left', () => {
    const [chain] = retrievalCases({ ...request, tasks: ['chains'], hops: [4] });
    const most = 'ABCDEFGXYZ';
    const { hidden } = statementsOf(chain, request, Array.from(most, (name) => `${name} = 1;`).join(' '));
    expect(hidden.map(({ text }) => text.charAt(5)).sort()).toEqual(Array.from('HIJKLMNO'));
    expect(() => statementsOf(chain, request, Array.from(`${most}O`, (name) => `${name} = 1;`).join(' '))).toThrow(
      'The haystack defines 8 of the variables A to O, and a chain needs 8 others; use another text, or generated filler.',
    );
  });

  it('have a needle that its question leads to, and filler that is the same for the same seed', () => {
    expect(defaultNeedle.needle.trim()).toBe(`${defaultNeedle.question}${defaultNeedle.answer}.`.trim());
    expect(generatedFiller(500, 3)).toBe(generatedFiller(500, 3));
    expect(generatedFiller(500, 3)).not.toBe(generatedFiller(500, 4));
    expect(generatedFiller(500, 3).length).toBeGreaterThanOrEqual(500);
  });
});

describe('a report of retrieval', () => {
  const score: RetrievalScore = {
    task: 'single',
    hops: null,
    length: 256,
    depth: 0.5,
    measured: 'found',
    expected: 'found',
    logProbability: -1,
    rank: 1,
    baselineLogProbability: -0.5,
    baselineRank: 1,
  };

  it('counts what was found beside what is expected, and what differs', () => {
    const other: RetrievalScore = { ...score, depth: 0, measured: 'lost', rank: 4 };
    expect(retrievalReport([score, other, { ...other, expected: null }])).toMatchObject({ found: 1, expected: 2, differing: 1 });
    expect(retrievalReport([{ ...score, expected: null }])).toMatchObject({ found: 1, expected: null, differing: 0 });
    expect(retrievalText(retrievalReport([score]))).toBe('1 of 1 found, as the mask gives by definition');
    expect(retrievalText(retrievalReport([score, other]))).toBe('1 of 2 found, 2 by definition: FAILED, 1 differ');
    expect(retrievalText(retrievalReport([{ ...score, expected: null }]))).toBe('1 of 1 found');
    expect([score, other, { ...other, expected: null }].map(outcomeText)).toEqual(['found', 'lost, expected found', 'lost']);
  });

  it('is laid out by task, length and depth', () => {
    const chain: RetrievalScore = { ...score, task: 'chains', hops: 2 };
    const grid = retrievalGrid([{ ...score, length: 1024 }, score, { ...chain, depth: 1 }, chain]);
    expect(grid.depths).toEqual([0.5, 1]);
    expect(grid.rows.map(({ task, hops, length, cells }) => [task, hops, length, cells.map((cell) => cell?.depth ?? null)])).toEqual([
      ['single', null, 1024, [0.5, null]],
      ['single', null, 256, [0.5, null]],
      ['chains', 2, 256, [0.5, 1]],
    ]);
    expect(retrievalGrid([])).toEqual({ depths: [], rows: [] });
  });
});
