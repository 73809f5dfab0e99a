import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/core/errors';
import { defaultOptions } from '../../../src/core/options/table';
import { makePlan, type Plan } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { comparisonBound } from '../../../src/core/scenario/expression/bounds';
import { predicateOf } from '../../../src/core/scenario/expression/evaluate';
import { parseMask } from '../../../src/core/scenario/expression/parse';
import { parseCycle, parseScenario, scenarioText } from '../../../src/core/scenario/parse';
import { type GeneralMask, looksAhead, makeScenario, maskOf, scenarioLabel } from '../../../src/core/scenario/scenario';
import type { ComparisonNode } from '../../../src/core/scenario/expression/syntax';
import { checkExact } from '../../../src/core/scenario/expression/exact';
import { comparisons, largeComparisons } from '../../support/expressions';
import { smallModel } from '../../support/shapes';

const at = (expression: string, query: number, key: number, tokens = 100): boolean =>
  predicateOf(parseMask(expression), tokens)(query, key);

/** Whether no value of a mask passes 2^53 at the longest length. */
function isExact(expression: string): boolean {
  try {
    checkExact(parseMask(expression), 131_072, expression);
    return true;
  } catch {
    return false;
  }
}

describe('a mask expression', () => {
  it.each([
    ['k <= q', 3, 3, true],
    ['k < q', 3, 3, false],
    ['0 <= q - k < 4', 9, 6, true],
    ['0 <= q - k < 4', 9, 5, false],
    ['not k > q', 2, 1, true],
    ['k == 1 or k == 2 and q == 9', 5, 1, true],
    ['(k == 1 or k == 2) and q == 9', 5, 1, false],
    ['!(k > q) && q - k < 2 || k == 0', 9, 0, true],
    ['q // 4 == k // 4', 7, 4, true],
    ['(k - q) % 3 == 1', 5, 3, true],
    ['-1 // 2 == -1', 0, 0, true],
    ['abs(k - q) <= min(2, n)', 5, 7, true],
    ['max(q, k) == n - 1', 3, 99, true],
    ['2 + 3 * 4 == 14 and 2 - 3 - 4 == -5', 0, 0, true],
    ['true and not false', 0, 0, true],
  ])('%s at (%i, %i) is %s', (expression, query, key, expected) => {
    expect(at(expression, query, key)).toBe(expected);
  });

  it.each([
    ['', /expected q, k, n, a whole number or \( at column 1, where it ends/],
    ['k <=', /at column 5, where it ends/],
    ['k', /expected a comparison such as k <= q/],
    ['k <= q q', /expected the end, and, or at column 8, not "q"/],
    ['k <= (q', /expected \) at column 8/],
    ['k <= x', /column 6, not "x"/],
    ['k <= 1.5', /"\." at column 7 means nothing/],
    ['k % q == 0', /what follows % at column 5 must be a whole number above 0/],
    ['k // 0 == 0', /above 0/],
    ['k <= 99999999999', /99999999999 at column 6 is too large/],
    ['(k <= q) + 1 > 0', /expected a number, not a comparison/],
    ['abs(q, k) == 1', /abs takes 1 number and has 2/],
    ['process.exit()', /means nothing|expected/],
    ['constructor', /expected/],
    [Array(60).fill('k <= q').join(' and '), /has 655 characters; write one of at most 500/],
    [`${'('.repeat(60)}k <= q${')'.repeat(60)}`, /nested more than 40 deep/],
    [`${'not '.repeat(80)}k <= q`, /nested/],
  ])('%j is refused with its column', (expression, message) => {
    expect(() => makeScenario('custom', { expression })).toThrow(InputError);
    expect(() => makeScenario('custom', { expression })).toThrow(message);
  });

  it('is bounded over a rectangle by what its pairs are', () => {
    const side = fc.integer({ min: 0, max: 30 }).chain((from) => fc.integer({ min: from + 1, max: from + 7 }).map((to) => ({ from, to })));
    fc.assert(
      fc.property(comparisons, side, side, (expression, queries, keys) => {
        const node = parseMask(expression) as ComparisonNode;
        const predicate = predicateOf(node, 40);
        const found = new Set<boolean>();
        for (let q = queries.from; q < queries.to; q += 1) {
          for (let k = keys.from; k < keys.to; k += 1) {
            found.add(predicate(q, k));
          }
        }
        const bound = comparisonBound(node, 40)(queries, keys);
        expect(bound === 'some' || (found.size === 1 && found.has(bound === 'all'))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('has the same value at a pair and over the rectangle of that pair, however large or negative', () => {
    const token = fc.integer({ min: 0, max: 131_071 });
    fc.assert(
      fc.property(largeComparisons, token, token, (expression, query, key) => {
        const node = parseMask(expression) as ComparisonNode;
        fc.pre(isExact(expression));
        const bound = comparisonBound(node, 131_072)({ from: query, to: query + 1 }, { from: key, to: key + 1 });
        expect(bound).toBe(predicateOf(node, 131_072)(query, key) ? 'all' : 'none');
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['k == q or (q*1000000000*1000000000) % 7 >= 0 and k <= q', 200, /q \* 1000000000 \* 1000000000 may reach 199000000000000000000 among/],
    [
      'k == q or q * q * q * q < (k - n) * 5',
      131_072,
      /q \* q \* q \* q may reach 2951\d+ among 131072 tokens, .* 2\^53 only; use smaller/,
    ],
    ['k == q or not (k - q * 1000000000 * 100000 < 3)', 131_072, /q \* 1000000000 \* 100000 may reach 13107100000000000000/],
    ['k <= q or abs(-q * 1000000000) * (n + 1) < 0', 131_072, /abs\(\(0 - q\) \* 1000000000\) \* \(n \+ 1\) may reach/],
  ])('%s is refused over %i tokens, as its values pass 2^53', (expression, tokens, message) => {
    expect(() => maskOf(makeScenario('custom', { expression }), tokens)).toThrow(InputError);
    expect(() => maskOf(makeScenario('custom', { expression }), tokens)).toThrow(message);
  });

  it('never crashes on what it cannot read', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            'q',
            'k',
            'n',
            '7',
            '+',
            '-',
            '*',
            '//',
            '%',
            '<',
            '<=',
            '==',
            'and',
            'or',
            'not',
            '(',
            ')',
            ',',
            'abs',
            'min',
            ' ',
            '!',
            '\u2028',
            '𝒳',
          ),
          { maxLength: 30 },
        ),
        (words) => {
          try {
            parseMask(words.join(' '));
          } catch (error) {
            expect(error).toBeInstanceOf(InputError);
            expect((error as Error).message).not.toMatch(/[\n\u2028]/);
          }
        },
      ),
    );
  });
});

describe('a custom scenario', () => {
  const planOf = (scenario: Parameters<typeof planRequest>[2]['scenario'], tokens: number, blockSize = 32): Plan =>
    makePlan(planRequest(tokens, smallModel, { ...defaultOptions, scenario, blockSize }));
  const same = ['queryBlocks', 'tiles', 'tilesByKind', 'visiblePairs', 'calls', 'flops'] as const;

  it.each([
    ['k <= q', makeScenario('causal')],
    ['k <= q and q - k < 100', makeScenario('sliding-window', { window: 100 })],
    ['k <= q and (q - k < 100 or k < 5)', makeScenario('attention-sink', { window: 100, sinks: 5 })],
    ['k <= q and (k < 64 or q - k < 4)', makeScenario('attention-sink', { window: 4, sinks: 64 })],
    ['abs(q - k) <= 30', makeScenario('local-window', { window: 60 })],
    ['true', makeScenario('full')],
  ])('%s has the plan of the scenario that it spells', (expression, scenario) => {
    const [written, known] = [planOf(makeScenario('custom', { expression }), 1000), planOf(scenario, 1000)];
    for (const field of same) {
      expect(written[field]).toEqual(known[field]);
    }
  });

  it('plans long prompts where its edges are lines, and refuses what has too many', () => {
    const plan = planOf(makeScenario('custom', { expression: 'k <= q and (q - k < 512 or k < 4)' }), 100_000, 256);
    expect(plan.visiblePairs).toBe(planOf(makeScenario('attention-sink', { window: 512, sinks: 4 }), 100_000, 256).visiblePairs);
    expect(() => planOf(makeScenario('custom', { expression: 'k == q or (q + k) % 3 == 0' }), 20_000)).toThrow(
      /^Mask "k == q or \(q \+ k\) % 3 == 0" costs too much to plan for 20000 tokens: more than 120 million steps; cut the prompt/,
    );
    expect(() => planOf(makeScenario('custom'), 200_000)).toThrow(/at most 131072 tokens and the prompt has 200000/);
  });

  it('is refused where a token does not see itself', () => {
    expect(() => planOf(makeScenario('custom', { expression: 'k < q or q == 0' }), 50)).toThrow(
      /hides the token at q = 1 from itself.*"or k == q"/,
    );
  });

  it('is refused by the construction that has the masks of the paper alone', () => {
    expect(() =>
      makePlan(planRequest(100, smallModel, { ...defaultOptions, scenario: makeScenario('custom'), construction: 'paper' })),
    ).toThrow(/use construction tight or fused/);
  });

  it('looks ahead where some pair does', () => {
    expect(looksAhead(makeScenario('custom'), 500)).toBe(false);
    expect(looksAhead(makeScenario('custom', { expression: 'k <= q or k == q + 300' }), 500)).toBe(true);
    expect(looksAhead(makeScenario('custom', { expression: 'k <= q or k == q + 300' }), 300)).toBe(false);
    expect(looksAhead(makeScenario('custom', { expression: 'q // 8 == k // 8' }), 500)).toBe(true);
  });

  it('is one of several in a cycle of layers', () => {
    const scenario = parseCycle('causal,custom:k <= q and min(q - k, 9) < 9');
    expect(scenarioLabel(scenario)).toBe('per-layer(causal, custom(k <= q and min(q - k, 9) < 9))');
    const mask = maskOf(scenario, 60) as GeneralMask;
    expect(mask.visiblePairs()).toBe((60 * 61) / 2);
    expect(mask.sight({ from: 30, to: 40 }, { from: 0, to: 10 })).toBe('all');
    expect(mask.sight({ from: 0, to: 10 }, { from: 30, to: 40 })).toBe('none');
    expect(mask.sight({ from: 0, to: 10 }, { from: 0, to: 10 })).toBe('some');
  });

  it('is written and read as text', () => {
    const scenario = makeScenario('custom', { expression: 'k <= q and k % 4 == 0 or k == q' });
    expect(parseScenario(scenarioText(scenario))).toEqual(scenario);
  });
});
