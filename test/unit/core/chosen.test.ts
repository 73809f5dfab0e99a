import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseTiles, massIndex, TileChoice } from '../../../src/core/chosen/choice';
import { choiceLines, quantilesOf } from '../../../src/core/chosen/report';
import { causalTiles, expectedTiles, sampleBudget, tileBudget, type TileRule } from '../../../src/core/chosen/rule';
import { samplingError, type TilePart } from '../../../src/core/chosen/sampling-error';
import { uniform } from '../../../src/core/math/random';
import { makePlan } from '../../../src/core/plan/plan';
import { requestCost } from '../../../src/core/plan/request-cost';
import { parseCycle } from '../../../src/core/scenario/parse';
import { makeScenario } from '../../../src/core/scenario/scenario';
import { planOf, smallModel } from '../../support/shapes';

const rules = fc.record({
  share: fc.integer({ min: 1, max: 100 }),
  sample: fc.integer({ min: 0, max: 90 }),
  queries: fc.constant(4),
  seed: fc.integer({ min: 0, max: 1000 }),
});

/** Random masses, many of them equal. */
function massesOf(heads: number, blocks: number, seed: number): Float32Array[] {
  const next = uniform(seed);
  return Array.from({ length: heads }, () => Float32Array.from({ length: causalTiles(blocks - 1) }, () => Math.floor(8 * next() ** 4) / 8));
}

describe('choosing tiles', () => {
  it('keeps the budget, reads the heaviest tiles of each query block, and samples from the others', () => {
    fc.assert(
      fc.property(rules, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 14 }), (rule, heads, blocks) => {
        const masses = massesOf(heads, blocks, rule.seed);
        const choice = chooseTiles(masses, blocks, rule, 2);
        expect(choice.fault()).toBeUndefined();
        const all = Array.from({ length: heads }, (_, head) => choice.tilesOf(head));
        expect(all.reduce((sum, { tiles }) => sum + tiles, 0)).toBe(heads * tileBudget(rule, blocks));
        expect(all.reduce((sum, { sampled }) => sum + sampled, 0)).toBe(heads * sampleBudget(rule, blocks));
        // Of each query block, the heaviest are read.
        masses.forEach((own, head) => {
          for (let block = 0; block < blocks; block += 1) {
            const chosen = new Set(choice.of(head, block).chosen);
            const massesOfBlock = (isChosen: boolean): number[] =>
              Array.from({ length: block }, (_, key) => key)
                .filter((key) => chosen.has(key) === isChosen)
                .map((key) => own[massIndex(block, key)]);
            expect(Math.min(...massesOfBlock(true))).toBeGreaterThanOrEqual(Math.max(-1, ...massesOfBlock(false)));
          }
        });
      }),
      { numRuns: 100 },
    );
  });

  it('leaves the least sum of squares of the masses that query blocks have not read', () => {
    const blocks = 4;
    for (let seed = 0; seed < 20; seed += 1) {
      const next = uniform(seed);
      const masses = [0, 1].map(() => Float32Array.from({ length: causalTiles(blocks - 1) }, () => next() / 4));
      const lost = (isRead: (head: number, tile: number) => boolean): number => {
        let squares = 0;
        for (let head = 0; head < 2; head += 1) {
          for (let block = 1; block < blocks; block += 1) {
            let left = 0;
            for (let key = 0; key < block; key += 1) {
              left += isRead(head, massIndex(block, key)) ? 0 : masses[head][massIndex(block, key)];
            }
            squares += left ** 2;
          }
        }
        return squares;
      };
      const rule = { share: 65, sample: 0, queries: 1, seed: 0 };
      const choice = chooseTiles(masses, blocks, rule);
      const read = masses.map((_, head) => {
        const marks = new Set<number>();
        for (let block = 1; block < blocks; block += 1) {
          choice.of(head, block).chosen.forEach((key) => marks.add(massIndex(block, key)));
        }
        return marks;
      });
      const found = lost((head, tile) => read[head].has(tile));
      let best = Infinity;
      for (let set = 0; set < 2 ** 12; set += 1) {
        const count = Array.from({ length: 12 }, (_, bit) => (set >> bit) & 1).reduce((sum, bit) => sum + bit, 0);
        best =
          count === 2 * (tileBudget(rule, blocks) - blocks)
            ? Math.min(
                best,
                lost((head, tile) => ((set >> (6 * head + tile)) & 1) === 1),
              )
            : best;
      }
      expect(found).toBeCloseTo(best, 6);
    }
  });

  it('samples every tile that is left about equally often, and other layers otherwise', () => {
    const rule = { share: 30, sample: 60, queries: 1, seed: 0 };
    const masses = massesOf(1, 12, 3).map((own) => own.map((_, index) => (index % 7 === 0 ? 1 : 0.1)));
    const blockOf = chooseTiles(masses, 12, rule);
    const block = Array.from({ length: 12 }, (_, at) => at).findLast((at) => {
      const { sampled, left } = blockOf.of(0, at);
      return sampled.length > 1 && sampled.length < left;
    });
    const counts = new Float64Array(11);
    let last = { left: 0, size: 0 };
    for (let seed = 0; seed < 2000; seed += 1) {
      const { sampled, left } = chooseTiles(masses, 12, { ...rule, seed }).of(0, block ?? NaN);
      sampled.forEach((key) => (counts[key] += 1));
      last = { left, size: sampled.length };
    }
    const expected = (2000 * last.size) / last.left;
    const left = counts.filter((count) => count > 0);
    expect(left).toHaveLength(last.left);
    left.forEach((count) => expect(Math.abs(count - expected)).toBeLessThan(6 * Math.sqrt(expected)));
    const [one, other] = [0, 1].map((layer) => chooseTiles(masses, 12, rule, layer));
    expect(Array.from({ length: 12 }, (_, block) => one.of(0, block))).not.toEqual(
      Array.from({ length: 12 }, (_, block) => other.of(0, block)),
    );
  });

  it('reports what no choice may be', () => {
    const rule: TileRule = { share: 60, sample: 0, queries: 1, seed: 0 };
    const none = { chosen: Int32Array.of(), sampled: Int32Array.of(), left: 0 };
    const of = (...keys: number[]): TileChoice =>
      new TileChoice(rule, [[none, { ...none, left: 1 }, { ...none, chosen: Int32Array.from(keys), left: 2 - keys.length }]]);
    expect(of(0).fault()).toBeUndefined();
    expect(of().fault()).toBe('reads 3 tiles, not the 4 of its budget');
    expect(of(2).fault()).toMatch(/^has tiles of query block 3 that are not ones before it/);
  });

  it('gives the keys of a query in order, with what they stand for', () => {
    const block = { chosen: Int32Array.of(1), sampled: Int32Array.of(0), left: 2 };
    const none = { chosen: Int32Array.of(), sampled: Int32Array.of(), left: 0 };
    const choice = new TileChoice({ share: 50, sample: 10, queries: 1, seed: 0 }, [[none, none, none, block]]);
    expect(choice.rangesOf(0, 32, 10)).toEqual([
      { from: 0, to: 10, logScale: Math.log(2) },
      { from: 10, to: 20, logScale: 0 },
      { from: 30, to: 33, logScale: 0 },
    ]);
  });
});

describe('a plan whose tiles are chosen', () => {
  it('states its budget exactly, by query block, by kind and by call', () => {
    fc.assert(
      fc.property(rules, fc.integer({ min: 1, max: 300 }), fc.integer({ min: 2, max: 40 }), (rule, tokens, blockSize) => {
        const scenario = makeScenario('adaptive', { ...rule, sample: Math.max(1, rule.sample) });
        const plan = planOf({ tokens, blockSize, scenario });
        const budget = tileBudget(rule, plan.blocks);
        const sum = Array.from({ length: plan.blocks }, (_, block) => expectedTiles(rule, plan.blocks, block)).reduce((a, b) => a + b, 0);
        expect(sum).toBe(budget);
        expect(plan.tiles).toBe(budget);
        expect(plan.instances).toBe(budget);
        expect(plan.bound.calls).toBe(plan.calls.attention);
        expect(plan.tilesByKind).toEqual({ full: 0, partial: plan.blocks, sampled: 0, chosen: budget - plan.blocks });
        const { calls, flops } = requestCost(plan);
        expect({ calls, flops }).toEqual({ calls: plan.calls, flops: plan.flops });
      }),
      { numRuns: 60 },
    );
  });

  it('is refused where a black box, a cycle or too many tiles would have to be chosen from', () => {
    const scenario = makeScenario('top-k');
    expect(() => planOf({ tokens: 50, blockSize: 8, scenario }, {}, smallModel, 'tight')).toThrow(
      'Scenario "top-k" chooses its tiles in the run, and the calls of a black box are arranged before it; use construction fused.',
    );
    expect(() => parseCycle('causal,adaptive:25')).toThrow('Scenario "adaptive" cannot be one of several in a cycle of layers');
    expect(() => planOf({ tokens: 100_000, blockSize: 4, scenario })).toThrow(/use --block 32 or more\.$/);
  });

  it('has a plan of its own for each kind of layer', () => {
    const { heads, keyValueHeads, headWidth, feedForwardWidth } = smallModel;
    const kind = { heads, keyValueHeads, headWidth, feedForwardWidth };
    const model = {
      ...smallModel,
      kinds: [
        { ...kind, layers: [0, 2] },
        { ...kind, heads: 2, layers: [1] },
      ],
    };
    const { scenario, ...request } = planOf({ tokens: 100, blockSize: 10, scenario: makeScenario('top-k', { share: 40 }) });
    const plan = makePlan({ ...request, scenario, model });
    expect(plan.tiles).toBe(22);
    expect(plan.calls.attention).toBe(plan.parts.reduce((sum, part) => sum + part.plan.calls.attention, 0));
  });
});

describe('the error of a sample', () => {
  it('is what samples are off by', () => {
    const next = uniform(11);
    const width = 8;
    // Light tiles of a row whose normaliser is about 1: most of it is in tiles that are read.
    const all = Array.from({ length: 40 }, (): TilePart => {
      const weight = 0.01 * next() ** 2;
      return { weight, weighted: Float64Array.from({ length: width }, () => weight * (2 * next() - 1)) };
    });
    const read = { weight: 0.8, weighted: Float64Array.from({ length: width }, () => 0.8 * (next() - 0.3)) };
    const ratio = (parts: readonly TilePart[], scale: number): { out: Float64Array; total: number } => {
      const total = read.weight + scale * parts.reduce((sum, { weight }) => sum + weight, 0);
      const out = read.weighted.map((x, column) => (x + scale * parts.reduce((sum, { weighted }) => sum + weighted[column], 0)) / total);
      return { out, total };
    };
    const exact = ratio(all, 1).out;
    let [squares, estimates, within] = [0, 0, 0];
    const trials = 2000;
    for (let trial = 0; trial < trials; trial += 1) {
      const order = [...all].map((part) => ({ part, key: next() })).sort((one, other) => one.key - other.key);
      const parts = order.slice(0, 5).map(({ part }) => part);
      const { out, total } = ratio(parts, all.length / parts.length);
      const relative = parts.map(({ weight, weighted }) => ({ weight: weight / total, weighted: weighted.map((x) => x / total) }));
      const estimate = samplingError(relative, out, all.length) ?? NaN;
      const error = Math.sqrt(out.reduce((sum, x, column) => sum + (x - exact[column]) ** 2, 0));
      squares += error ** 2;
      estimates += estimate ** 2;
      within += error <= 2 * estimate ? 1 : 0;
    }
    expect(Math.sqrt(estimates / squares)).toBeGreaterThan(0.9);
    expect(Math.sqrt(estimates / squares)).toBeLessThan(1.1);
    expect(within / trials).toBeGreaterThan(0.85);
  });

  it('is nothing of all tiles, and not known of one', () => {
    const part = { weight: 0.1, weighted: Float64Array.of(0.2) };
    expect(samplingError([part, part], [1], 2)).toBe(0);
    expect(samplingError([part], [1], 2)).toBeUndefined();
    expect(samplingError([part, part], [1], 5)).toBe(0);
  });
});

it('says what was chosen in words', () => {
  const heads = [
    { layer: 0, head: 0, tiles: 10, sampled: 2 },
    { layer: 0, head: 1, tiles: 30, sampled: 4 },
  ];
  const measured = quantilesOf([0.3, 0.1, 0.2]);
  const report = { tiles: 40, sampled: 6, causalTiles: 100, heads, rows: 3, measured, estimated: { rows: 2, ...measured, within: 0.5 } };
  expect(choiceLines(report)).toEqual([
    '40 of 100 tiles a layer, 6 of them sampled; heads read from 20% to 60% of theirs',
    'against causal attention over all tiles, rows are off by 2.0e-1 of their size (median of 3), nine in ten by at most 3.0e-1',
    'the sample estimates 2.0e-1 (median of 2), nine in ten at most 3.0e-1; 50% of these rows are within twice their estimate',
  ]);
  expect(choiceLines({ ...report, estimated: null })).toHaveLength(2);
});
