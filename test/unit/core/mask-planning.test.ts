import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultOptions } from '../../../src/core/options/table';
import { partition } from '../../../src/core/plan/partition';
import { makePlan, planLayers } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { type TileKind, tileRuns } from '../../../src/core/plan/tiles';
import { predicateOf } from '../../../src/core/scenario/expression/evaluate';
import { parseMask } from '../../../src/core/scenario/expression/parse';
import { mostSteps } from '../../../src/core/scenario/pairs/budget';
import { parseCycle, parseScenario } from '../../../src/core/scenario/parse';
import {
  type GeneralMask,
  type LayerScenario,
  looksAhead,
  makeScenario,
  maskOf,
  perLayer,
  StepBudget,
  withStarts,
} from '../../../src/core/scenario/scenario';
import { masks, separateMasks } from '../../support/expressions';
import { smallModel } from '../../support/shapes';

type Predicate = (query: number, key: number) => boolean;

/** Visible pairs of a rectangle, one by one. */
function pairsIn(allows: Predicate, queries: { from: number; to: number }, keys: { from: number; to: number }): number {
  let visible = 0;
  for (let query = queries.from; query < queries.to; query += 1) {
    for (let key = keys.from; key < keys.to; key += 1) {
      visible += allows(query, key) ? 1 : 0;
    }
  }
  return visible;
}

/** Holds a mask's count, ranges, rectangles and tiles equal to its predicate. */
function expectEqual(mask: GeneralMask, allows: Predicate, tokens: number, blockSize: number): void {
  const whole = { from: 0, to: tokens };
  expect(mask.visiblePairs()).toBe(pairsIn(allows, whole, whole));
  for (const query of [0, Math.floor(tokens / 2), tokens - 1]) {
    const row = Array.from({ length: tokens }, (_, key) => mask.ranges(query).some(({ from, to }) => from <= key && key < to));
    expect(row).toEqual(row.map((_, key) => allows(query, key)));
  }
  const cut = partition(tokens, blockSize);
  const blockOf = (block: number): { from: number; to: number } => ({
    from: block * blockSize,
    to: Math.min(tokens, (block + 1) * blockSize),
  });
  for (let queryBlock = 0; queryBlock < cut.blocks; queryBlock += 1) {
    const kinds = Array.from({ length: cut.blocks }, (): TileKind | undefined => undefined);
    tileRuns(mask, cut, queryBlock).forEach(({ from, to, kind }) => kinds.fill(kind, from, to));
    const expected = kinds.map((_, keyBlock): TileKind | undefined => {
      const [queries, keys] = [blockOf(queryBlock), blockOf(keyBlock)];
      const visible = pairsIn(allows, queries, keys);
      return visible === 0 ? undefined : visible === (queries.to - queries.from) * (keys.to - keys.from) ? 'full' : 'partial';
    });
    expect(kinds).toEqual(expected);
  }
}

const sizes = fc.record({ tokens: fc.integer({ min: 1, max: 200 }), blockSize: fc.integer({ min: 2, max: 210 }) });

describe('a written mask', () => {
  it.each([
    ['of conditions on q, k and q - k alone', separateMasks],
    ['of any form', masks],
  ])('%s has the pairs, ranges and tiles of its predicate', (_name, expressions) => {
    fc.assert(
      fc.property(expressions, sizes, (expression, { tokens, blockSize }) => {
        const mask = maskOf(makeScenario('custom', { expression }), tokens) as GeneralMask;
        expectEqual(mask, predicateOf(parseMask(expression), tokens), tokens, blockSize);
      }),
      { numRuns: 150 },
    );
  });

  it('looks ahead where its predicate does', () => {
    fc.assert(
      fc.property(masks, fc.integer({ min: 1, max: 90 }), (expression, tokens) => {
        const allows = predicateOf(parseMask(expression), tokens);
        const ahead = pairsIn((query, key) => key > query && allows(query, key), { from: 0, to: tokens }, { from: 0, to: tokens }) > 0;
        expect(looksAhead(makeScenario('custom', { expression }), tokens)).toBe(ahead);
      }),
      { numRuns: 150 },
    );
  });

  it('counts the parts of a prompt, however they are cut', () => {
    const starts = fc.uniqueArray(fc.integer({ min: 1, max: 210 }), { maxLength: 9 }).map((own) => [0, ...own.sort((a, b) => a - b)]);
    /** The part of a position, counted one by one. */
    const partOf = (own: readonly number[], position: number): number => own.filter((start) => start > 0 && start <= position).length;
    const forms: readonly (readonly [string, (doc: (at: number) => number, sec: (at: number) => number) => Predicate])[] = [
      ['k <= q and doc(q) == doc(k)', (doc) => (q, k) => k <= q && doc(q) === doc(k)],
      ['doc(q) == doc(k)', (doc) => (q, k) => doc(q) === doc(k)],
      [
        'k <= q and (doc(q) == doc(k) and q - k < 20 or sec(k) % 2 == 0) or q == k',
        (doc, sec) => (q, k) => (k <= q && ((doc(q) === doc(k) && q - k < 20) || sec(k) % 2 === 0)) || q === k,
      ],
      ['sec(q) - doc(k) < 3 or k == q', (doc, sec) => (q, k) => sec(q) - doc(k) < 3 || k === q],
      ['doc(2 * q - 9) >= doc(k) or k == q', (doc) => (q, k) => doc(2 * q - 9) >= doc(k) || k === q],
    ];
    fc.assert(
      fc.property(fc.constantFrom(...forms), starts, starts, sizes, ([expression, of], doc, sec, { tokens, blockSize }) => {
        const scenario = withStarts(makeScenario('custom', { expression }), { doc, sec });
        const allows = of(
          (at) => partOf(doc, at),
          (at) => partOf(sec, at),
        );
        expectEqual(maskOf(scenario, tokens) as GeneralMask, allows, tokens, blockSize);
        const joined = perLayer([scenario, makeScenario('sliding-window', { window: 7 })]);
        expectEqual(maskOf(joined, tokens) as GeneralMask, (q, k) => allows(q, k) || (k <= q && q - k < 7), tokens, blockSize);
      }),
      { numRuns: 60 },
    );
  });

  it('joins those of other layers pair by pair', () => {
    const layers = fc.constantFrom('causal', 'full', 'sliding-window:9', 'attention-sink:30:4', 'local-window:12');
    fc.assert(
      fc.property(masks, masks, layers, sizes, (one, other, layer, { tokens, blockSize }) => {
        fc.pre(!/,/.test(one + other));
        const cycle = parseCycle(`custom:${one},${layer},custom:${other},custom:${one}`);
        const mask = maskOf(cycle, tokens) as GeneralMask;
        const [first, second] = [one, other].map((expression) => predicateOf(parseMask(expression), tokens));
        const { allows } = maskOf(parseScenario(layer) as LayerScenario, tokens);
        const some: Predicate = (query, key) => first(query, key) || second(query, key) || allows(query, key);
        expectEqual(mask, some, tokens, blockSize);
      }),
      { numRuns: 60 },
    );
  });
});

describe('planning at 131,072 tokens', () => {
  it('takes thousands of documents of any length', () => {
    const doc = [0];
    for (let at = 7; at < 131_072; at += 3 + (at % 89)) {
      doc.push(at);
    }
    const scenario = withStarts(makeScenario('custom', { expression: 'k <= q and doc(q) == doc(k)' }), { doc });
    const budget = new StepBudget();
    const { visiblePairs } = planLayers(
      { ...planRequest(131_072, smallModel, { ...defaultOptions, scenario, blockSize: 256 }), scenario },
      budget,
    );
    const lengths = doc.map((start, index) => (doc.at(index + 1) ?? 131_072) - start);
    expect(visiblePairs).toBe(lengths.reduce((sum, length) => sum + (length * (length + 1)) / 2, 0));
    expect(budget.spent).toBeLessThan(mostSteps / 4);
  });

  /** Steps of a plan at the longest length. */
  const stepsOf = (expression: string): number => {
    const budget = new StepBudget();
    const request = planRequest(131_072, smallModel, {
      ...defaultOptions,
      scenario: makeScenario('custom', { expression }),
      blockSize: 256,
    });
    planLayers({ ...request, scenario: makeScenario('custom', { expression }) }, budget);
    return budget.spent;
  };

  it.each([
    'k <= q and (q - k < 256 or k % 64 == 0)',
    'k <= q and q - k < 256',
    'k <= q and (q - k < 512 or k < 4)',
    '(q - k) % 3 == 0',
    'k % 64 == 0 or q - k < 128 and k <= q or k == q',
    'q // 128 == k // 128',
    'k <= q and q // 1000 == k // 1000',
    'abs(q - k) <= 128 or k < 4',
    'k <= max(q, 199)',
    'k <= q and (q - k < 256 and (q - k) % 2 == 0 or k % 64 == 0)',
    'k <= q and (q % 64 == 0 or k % 64 == 0 or q - k < 256)',
  ])('%s takes less than a quarter of the budget', (expression) => {
    expect(stepsOf(expression)).toBeLessThan(mostSteps / 4);
  });

  it.each([
    ['of blocks like a chess board', 'k == q or (q // 128 + k // 128) % 2 == 0'],
    ['of 480 characters about q - k', Array(25).fill('(q-k)%7 == 0').join(' or ')],
  ])('a mask %s stays within it', (_name, expression) => {
    expect(stepsOf(expression)).toBeLessThan(mostSteps);
  });

  it.each([
    ['k == q or (q + k) % 3 == 0'],
    ['k <= q and (q == k or q % 2 == 0 and k % 3 == 0 and (q - k) % 5 == 0)'],
    [`${Array(25).fill('(q*k)%7 == 0').join(' or ')} or k == q`],
    [`k == q or ${Array(12).fill('(q*k+7)%97==5 and q*k%3 > 0').join(' or ')}`],
  ])('%s is refused in one line that says what to do', (expression) => {
    const plan = (): number => stepsOf(expression);
    expect(plan).toThrow(/costs too much to plan for 131072 tokens: more than 120 million steps; cut the prompt with --max-tokens/);
  });

  it('shares one budget among the layers of a plan', () => {
    // Each takes about half of it.
    const boards = [127, 128].map((size) => `custom:k == q or (q // ${size} + k // ${size}) % 2 == 0`);
    const request = planRequest(131_072, smallModel, { ...defaultOptions, scenario: parseCycle(boards.join(',')), blockSize: 256 });
    expect(() => makePlan(request)).toThrow(/more than 120 million steps/);
  });
});
