import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  kindOf,
  noToken,
  type Pattern,
  patternKinds,
  referenceTokens,
  rowSees,
  syntheticToken,
} from '../../../src/core/construct/arrangement';
import type { BlackBoxConstruction } from '../../../src/core/construct/construction';
import { coverOf, mostColumns, separates } from '../../../src/core/construct/cover';
import { separationStrength, separationVectors, separationWidth } from '../../../src/core/construct/separation';
import { readingsOf } from '../../../src/core/construct/slice';
import { permutation } from '../../../src/core/math/random';
import { lowerBoundOf, packedFormula } from '../../../src/core/plan/bound';
import { partition } from '../../../src/core/plan/partition';
import { makePlan, planLayers } from '../../../src/core/plan/plan';
import { arrangementOf, type LayerScenario, makeScenario, maskOf, type Range } from '../../../src/core/scenario/scenario';
import { type BlackBoxSetting, blackBoxSettings } from '../../support/arbitrary';
import { smallModel } from '../../support/shapes';

const kinds: readonly BlackBoxConstruction[] = ['tight', 'paper'];

function arranged({ tokens, blockSize, scenario, causal }: BlackBoxSetting, construction: BlackBoxConstruction) {
  const arrangement = arrangementOf(scenario, construction, { tokens, inputLength: blockSize, causal });
  const { blocks } = partition(tokens, arrangement.blockSize);
  const perBlock = Array.from({ length: blocks }, (_, block) => [...arrangement.patternsOf(block)]);
  return { arrangement, perBlock, patterns: perBlock.flat() };
}

/** How often a query is given a key by all patterns together, subtractions counted as -1. */
function coverage(tokens: number, patterns: readonly Pattern[]): Int32Array {
  const seen = new Int32Array(tokens * tokens);
  for (const pattern of patterns) {
    pattern.queries.forEach((query, row) => {
      pattern.keys.forEach((key, keyRow) => {
        if (query !== noToken && rowSees(pattern, row, keyRow)) {
          seen[query * tokens + key] += pattern.sign;
        }
      });
    });
  }
  return seen;
}

/** Whether a query is to be given a key: the mask, or theorem 4.1's sample of it. */
function wanted({ tokens, scenario, blockSize }: BlackBoxSetting): (query: number, key: number) => boolean {
  if (scenario.kind !== 'average-case') {
    return maskOf(scenario, tokens).allows;
  }
  const block = Math.min(tokens, blockSize - 1);
  const place = new Int32Array(tokens);
  permutation(tokens, scenario.seed).forEach((key, position) => (place[key] = position));
  return (query, key) => Math.floor(place[key] / block) === Math.floor(query / block);
}

describe.each(kinds)('the %s arrangement', (construction) => {
  it('gives every query each of its visible keys exactly once', () => {
    fc.assert(
      fc.property(blackBoxSettings[construction], (setting) => {
        const { tokens } = setting;
        const seen = coverage(tokens, arranged(setting, construction).patterns);
        const allows = wanted(setting);
        const wrong = [...seen].flatMap((count, pair) => {
          const [query, key] = [Math.floor(pair / tokens), pair % tokens];
          return count === (allows(query, key) ? 1 : 0) ? [] : [{ query, key, count }];
        });
        expect(wrong).toEqual([]);
      }),
      { numRuns: 600 },
    );
  });

  it('never makes a call longer than M, and puts the synthetic token in row 0 alone', () => {
    fc.assert(
      fc.property(blackBoxSettings[construction], (setting) => {
        const { arrangement, patterns } = arranged(setting, construction);
        for (const pattern of patterns) {
          expect(pattern.queries.length).toBe(arrangement.rows);
          expect(pattern.separation?.width ?? 0).toBeLessThanOrEqual(arrangement.separation[kindOf(pattern)] ?? 0);
          expect(pattern.keys.length).toBeLessThanOrEqual(setting.blockSize);
          expect([...pattern.keys].filter((key) => key === syntheticToken).length).toBe(1);
          expect(pattern.keys[0]).toBe(syntheticToken);
          expect(pattern.queries[0]).toBe(noToken);
        }
      }),
    );
  });

  it('refers each query to a key that it sees, if it sees any', () => {
    fc.assert(
      fc.property(blackBoxSettings[construction], (setting) => {
        for (const pattern of arranged(setting, construction).patterns) {
          const references = referenceTokens(pattern);
          pattern.queries.forEach((query, row) => {
            const visible = [...pattern.keys].filter((_, keyRow) => query !== noToken && rowSees(pattern, row, keyRow));
            expect(visible.length === 0 ? references[row] === noToken : visible.includes(references[row])).toBe(true);
          });
        }
      }),
    );
  });

  it('counts its patterns by block without making them, and as its formula says', () => {
    fc.assert(
      fc.property(blackBoxSettings[construction], (setting) => {
        const { arrangement, perBlock, patterns } = arranged(setting, construction);
        const total = (terms: readonly { patterns: number }[]): number => terms.reduce((sum, term) => sum + term.patterns, 0);
        perBlock.forEach((own, block) => {
          const count = { causal: 0, open: 0, covered: 0, ...arrangement.countOf(block) };
          patternKinds.forEach((kind) => expect(count[kind]).toBe(own.filter((pattern) => kindOf(pattern) === kind).length));
        });
        patternKinds.forEach((kind) =>
          expect(total(arrangement.formula.filter((term) => term.kind === kind))).toBe(
            patterns.filter((pattern) => kindOf(pattern) === kind).length,
          ),
        );
        expect(total(arrangement.formula)).toBe(patterns.length);
        expect(total(arrangement.bound)).toBeGreaterThanOrEqual(patterns.length);
      }),
      { numRuns: 600 },
    );
  });

  it('is planned with the calls of its formula, packed', () => {
    fc.assert(
      fc.property(
        blackBoxSettings[construction],
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 6 }),
        (setting, layers, heads) => {
          const { tokens, blockSize, scenario, causal } = setting;
          const oracle = { inputLength: blockSize, layers, heads, causal };
          const plan = makePlan({ tokens, scenario, model: smallModel, oracle, construction });
          const { arrangement, patterns } = arranged(setting, construction);
          expect(plan.calls.attention).toBe(packedFormula(plan, arrangement.formula, construction).calls);
          expect(plan.calls.attention).toBeLessThanOrEqual(plan.bound.calls);
          expect(plan.instances).toBe(patterns.length * readingsOf[construction].length);
        },
      ),
    );
  });
});

describe('the table of PAPER.md, by numbers written down there', () => {
  const calls = (tokens: number, inputLength: number, scenario: LayerScenario, construction: BlackBoxConstruction): number => {
    const { perBlock } = arranged({ tokens, blockSize: inputLength, scenario, causal: true }, construction);
    return perBlock.flat().length * readingsOf[construction].length;
  };

  it.each([
    // T = ceil(1000 / 64) = 16 blocks of 64 keys, with the synthetic token in row 65.
    ['full', makeScenario('full'), 1000, 65, 256, 512],
    ['causal', makeScenario('causal'), 1000, 65, 256, 512],
    ['average case', makeScenario('average-case'), 1000, 65, 16, 32],
    // M = 65, r = 60, N = 300: "9 against 240" by chunks, and 5 + 4 by bands.
    ['window of 60', makeScenario('sliding-window', { window: 60 }), 300, 65, 9, 240],
    // M = 129, r = 16, s = 4, N = 1000: "18 calls against 71" by chunks, of which 71 counts 8 per chunk of 113 queries.
    ['window of 16 with 4 sinks', makeScenario('attention-sink', { window: 16, sinks: 4 }), 1000, 129, 9, 72],
    // By bands, from the table of reference/mathematics.md; a past takes r - 1 rows here, so that two of 64 go into a call of 129.
    ['window of 16', makeScenario('sliding-window', { window: 16 }), 1000, 129, 9, 36],
    ['window of 48', makeScenario('sliding-window', { window: 48 }), 1000, 129, 12, 52],
    ['window of 64', makeScenario('sliding-window', { window: 64 }), 1000, 129, 12, 64],
    ['window of 100', makeScenario('sliding-window', { window: 100 }), 1000, 129, 15, 140],
    ['window of 128', makeScenario('sliding-window', { window: 128 }), 1000, 129, 15, 4000],
    ['window of 48 with 4 sinks', makeScenario('attention-sink', { window: 48, sinks: 4 }), 1000, 129, 12, 104],
  ])('%s', (_, scenario, tokens, inputLength, tight, paper) => {
    expect(calls(tokens, inputLength, scenario, 'tight')).toBe(tight);
    expect(calls(tokens, inputLength, scenario, 'paper')).toBe(paper);
  });

  it('halves the tiles of causal attention where the oracle can leave them open', () => {
    const { patterns } = arranged({ tokens: 1000, blockSize: 65, scenario: makeScenario('causal'), causal: false }, 'tight');
    expect(patterns.length).toBe((16 * 17) / 2);
  });
});

it('reads any mask in one call of an unmasked oracle a tile', () => {
  const patterns = (scenario: LayerScenario, causal: boolean): number =>
    arranged({ tokens: 700, blockSize: 65, scenario, causal }, 'tight').patterns.length;
  // The table of reference/mathematics.md, of T^2 = 121 tiles; a local window takes 31 tiles there, and here 11 segments and 20 triangles.
  expect(patterns(makeScenario('custom', { expression: 'k <= q' }), false)).toBe(66);
  expect(patterns(makeScenario('local-window', { window: 100 }), false)).toBe(11 + 20);
  expect(patterns(makeScenario('local-window', { window: 40 }), false)).toBe(11 + 7);
  expect(patterns(makeScenario('sliding-window', { window: 200 }), true)).toBe(45);
  expect(patterns(makeScenario('custom', { expression: 'k <= q and (q - k < 48 or k % 16 == 3)' }), false)).toBe(66);
});

it('cuts what would need more columns than a call has', () => {
  const custom = arranged(
    { tokens: 600, blockSize: 301, scenario: makeScenario('custom', { expression: 'k <= q' }), causal: false },
    'tight',
  );
  // Two tiles on the diagonal, each as 256 queries and 44, and one below it.
  expect(custom.patterns.length).toBe(5);
  const window = arranged({ tokens: 900, blockSize: 701, scenario: makeScenario('sliding-window', { window: 20 }), causal: true }, 'tight');
  expect(window.arrangement.bands).toMatchObject({ segment: 276, perCall: 2 });
  for (const { arrangement, patterns } of [custom, window]) {
    const widest = Math.max(...patterns.map(({ separation }) => separation?.width ?? 0));
    expect(widest).toBe(Math.max(...Object.values(arrangement.separation)));
    expect(widest).toBeLessThanOrEqual(mostColumns + separationWidth(3));
  }
});

it('refuses under paper what its proofs have no arrangement for, and takes a window that covers the prompt as causal', () => {
  const request = { tokens: 1000, inputLength: 64, causal: true };
  const window = (size: number, sinks = 0): LayerScenario => makeScenario('attention-sink', { window: size, sinks });
  expect(() => arrangementOf(window(64), 'paper', request)).toThrow(
    'A window of 64 is not below the block size of 64, as the proof of theorem 5.1 needs; use a block size of 65 or more, a window of 63 or less, or construction tight.',
  );
  expect(() => arrangementOf(window(3, 4), 'paper', request)).toThrow('4 sinks are more than the window of 3');
  expect(() => arrangementOf(makeScenario('local-window', { window: 3 }), 'paper', request)).toThrow(
    'Scenario "local-window" has no arrangement under construction paper',
  );
  expect(arrangementOf(window(1000), 'tight', request).statement).toBe('Theorem 3.5');
});

it('never asks for more than one call of pairs that one call can cover', () => {
  const positions = fc.integer({ min: 2, max: 9 }).chain((rows) =>
    fc.record({
      rows: fc.constant(rows),
      queries: fc.uniqueArray(fc.nat({ max: 14 }), { maxLength: rows }),
      keys: fc.uniqueArray(fc.nat({ max: 14 }), { maxLength: rows - 1 }),
      window: fc.integer({ min: 1, max: 20 }),
    }),
  );
  fc.assert(
    fc.property(positions, ({ rows, queries, keys, window }) => {
      const scenario = makeScenario('local-window', { window });
      const { allows } = maskOf(scenario, 15);
      const visiblePairs = queries.flatMap((query) => keys.filter((key) => allows(query, key))).length;
      const plan = planLayers({
        tokens: 15,
        scenario,
        model: { ...smallModel, layers: 1, heads: 1, keyValueHeads: 1 },
        construction: 'tight',
        oracle: { inputLength: rows, layers: 1, heads: 1, causal: false },
      });
      expect(lowerBoundOf({ ...plan, visiblePairs })).toBeLessThanOrEqual(1);
    }),
    { numRuns: 400 },
  );
});

describe('covers', () => {
  const hiddenRows = (rows: number, hides: (query: number, key: number) => boolean): Range[][] =>
    Array.from({ length: rows }, (_, query) =>
      Array.from({ length: rows }, (_unused, key) => key)
        .filter((key) => hides(query, key))
        .reduce<{ from: number; to: number }[]>((ranges, key) => {
          const last = ranges.at(-1);
          return last?.to === key ? [...ranges.slice(0, -1), { ...last, to: key + 1 }] : [...ranges, { from: key, to: key + 1 }];
        }, []),
    );

  it('hide exactly what they are to hide, with a column for each row at most', () => {
    const masks = fc
      .integer({ min: 1, max: 40 })
      .chain((rows) => fc.array(fc.array(fc.boolean(), { minLength: rows, maxLength: rows }), { minLength: rows, maxLength: rows }));
    fc.assert(
      fc.property(masks, (mask) => {
        const cover = coverOf(hiddenRows(mask.length, (query, key) => mask[query][key]));
        expect(cover.width).toBeLessThanOrEqual(mask.length);
        mask.forEach((row, query) => row.forEach((hidden, key) => expect(separates(cover, query, key)).toBe(hidden)));
      }),
    );
  });

  it.each([
    // A staircase of 64 rows has 63 steps, each of which needs its own.
    ['a causal diagonal', 64, (query: number, key: number) => key > query, 63],
    ['the edge of a window', 64, (query: number, key: number) => query - key >= 48, 16],
    // As few as separation vectors: C(4, 2) = 6 documents.
    ['6 documents', 60, (query: number, key: number) => Math.floor(query / 10) !== Math.floor(key / 10), 4],
    ['every fourth key alone', 64, (_query: number, key: number) => key % 4 !== 0, 1],
    ['nothing', 64, () => false, 0],
  ])('need few columns for %s', (_, rows, hides, columns) => {
    expect(coverOf(hiddenRows(rows, hides)).width).toBe(columns);
  });
});

describe('separation vectors', () => {
  it('are as short as they can be', () => {
    expect([1, 2, 3, 6, 7, 20, 21, 70, 252, 253].map(separationWidth)).toEqual([0, 2, 4, 4, 6, 6, 8, 8, 10, 12]);
  });

  it('let a chunk see itself without rounding, and hide every other', () => {
    const vectors = separationVectors(100);
    const product = (a: Float32Array, b: Float32Array): number =>
      a.reduce((sum, entry, column) => Math.fround(sum + Math.fround(entry * b[column])), 0);
    vectors.forEach(({ query }, chunk) => {
      vectors.forEach(({ key }, other) => {
        const score = product(query, key);
        expect(chunk === other ? score === 0 : score <= -(separationStrength ** 2)).toBe(true);
      });
    });
  });
});
