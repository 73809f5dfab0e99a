import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokenCurves } from '../../../src/core/atlas/by-token';
import { cellGrid, coarser } from '../../../src/core/atlas/cells';
import { cutRequest } from '../../../src/core/atlas/cut';
import { AtlasGatherer } from '../../../src/core/atlas/gatherer';
import { fewestTiles, keptShares, MassHistogram } from '../../../src/core/atlas/oracle-curve';
import { partition } from '../../../src/core/plan/partition';
import { bothOf, makeScenario, maskOf, withStarts } from '../../../src/core/scenario/scenario';
import { scenarios } from '../../support/arbitrary';
import { planOf, smallModel } from '../../support/shapes';

const masses = fc.array(fc.double({ min: 1e-9, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 });

/** The fewest of some numbers with a share of their sum, by trying all subsets. */
function fewestBySubsets(values: readonly number[], share: number): number {
  const total = values.reduce((sum, value) => sum + value, 0);
  let fewest = values.length;
  for (let subset = 0; subset < 2 ** values.length; subset += 1) {
    const own = values.filter((_, index) => (subset >> index) & 1);
    if (own.length < fewest && own.reduce((sum, value) => sum + value, 0) >= share * total * (1 + 1e-12)) {
      fewest = own.length;
    }
  }
  return fewest;
}

describe('the oracle curve', () => {
  it('counts the fewest tiles that keep a share', () => {
    fc.assert(
      fc.property(masses, (values) => {
        const found = fewestTiles(values);
        keptShares.forEach((share, index) => expect(found[index]).toBe(fewestBySubsets(values, share)));
      }),
      { numRuns: 30 },
    );
  });

  it('is bounded from below, closely, by a histogram', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1e-9, max: 1, noNaN: true }), { minLength: 1, maxLength: 400 }), (values) => {
        const histogram = new MassHistogram();
        values.forEach((value) => {
          histogram.add(value);
        });
        const exact = fewestTiles(values);
        histogram.fewest().forEach((bound, index) => {
          expect(bound).toBeLessThanOrEqual(exact[index]);
          expect(bound).toBeGreaterThanOrEqual(Math.floor(0.98 * exact[index]) - 1);
        });
      }),
      { numRuns: 50 },
    );
  });
});

describe('cells', () => {
  it('stay within their limits, and merge to those of a coarser grid', () => {
    const cut = partition(10 * 7 + 3, 7);
    const fine = cellGrid(cut.blocks, 1);
    expect(fine).toEqual({ side: 11, blocks: 1 });
    expect(cellGrid(4096, 48)).toEqual({ side: 64, blocks: 64 });
    expect(cellGrid(2 ** 20, 2 ** 30)).toEqual({ side: 1, blocks: 2 ** 20 });
    const merged = coarser(
      Array.from({ length: 121 }, () => 1 / 11),
      fine,
      cellGrid(cut.blocks, 1, 3),
      cut,
    );
    [4, 4, 3].flatMap((_, row) => [4, 4, 3].map((columns, column) => expect(merged[3 * row + column]).toBeCloseTo(columns / 11)));
  });
});

describe('an atlas', () => {
  it('is made of the masses of query blocks', () => {
    const plan = planOf({ tokens: 20, blockSize: 8, scenario: { kind: 'causal' } }, { heads: 3 });
    const cut = cutRequest(makeScenario('sliding-window', { window: 4 }), smallModel, 20);
    const gatherer = new AtlasGatherer(plan, cut, [false, false, false]);
    for (let layer = 0; layer < 3; layer += 1) {
      for (let head = 0; head < 4; head += 1) {
        gatherer.add(layer, head, 0, { keyBlocks: [0], masses: [1] });
        gatherer.add(layer, head, 1, { keyBlocks: [1, 0], masses: [0.75, 0.25] });
        gatherer.add(layer, head, 2, { keyBlocks: [2, 0, 1], masses: [0.005, 0.9945, 0.0005] });
        gatherer.addShown(layer, head, 1, { keyBlocks: [1], masses: [0.5] });
      }
    }
    const { heads, layers, oracle, cut: cutOff, massError } = gatherer.result();
    expect(heads).toHaveLength(12);
    expect(heads[5]).toMatchObject({ layer: 1, head: 1, mass: [1, 0, 0, 0.25, 0.75, 0, 0.9945, 0.0005, 0.005], tiles: 6 });
    // Query blocks of 8, 8 and 4 of 20 queries.
    expect(heads[5].byDistance[0]).toBeCloseTo((8 + 8 * 0.75 + 4 * 0.005) / 20);
    expect(heads[5].byDistance[2]).toBeCloseTo((4 * 0.9945) / 20);
    expect(heads[5].firstTile).toBeCloseTo((8 * 0.25 + 4 * 0.9945) / 12);
    expect(heads[5].learnedSink).toBeNull();
    expect(heads[5].fewest).toEqual([1 + 2 + 1, 1 + 2 + 1, 1 + 2 + 2]);
    expect(heads[5].cut?.share).toBeCloseTo((8 + 8 * 0.5 + 4) / 20);
    expect(cutOff?.share).toBeCloseTo((8 + 8 * 0.5 + 4) / 20);
    expect(layers[0]).toMatchObject({ layer: 0, tiles: 24, calls: 8 });
    expect(oracle).toMatchObject({ tiles: 72, calls: 24 });
    expect(oracle.kept.map(({ eachBlock, calls }) => [eachBlock, calls])).toEqual([
      [48, 18],
      [48, 18],
      [60, 21],
    ]);
    expect(massError).toBeLessThan(1e-12);
  });

  it('tells how far masses are from adding up, and of a NaN', () => {
    const plan = planOf({ tokens: 8, blockSize: 8, scenario: { kind: 'causal' } });
    for (const [mass, error] of [
      [0.75, 0.25],
      [NaN, NaN],
    ]) {
      const gatherer = new AtlasGatherer(plan, undefined, [false, false, false]);
      gatherer.add(0, 0, 0, { keyBlocks: [0], masses: [mass] });
      gatherer.add(0, 1, 0, { keyBlocks: [0], masses: [1] });
      expect(gatherer.result().massError).toBe(error);
    }
  });
});

describe('the layers in which a scenario cuts something off', () => {
  const causal = { ...smallModel, attention: { kind: 'causal' } as const };

  it('are those in which it hides what the model shows', () => {
    const hidesOf = (...scenario: Parameters<typeof makeScenario>): readonly boolean[] =>
      cutRequest(makeScenario(...scenario), causal, 40).hides;
    expect(hidesOf('sliding-window', { window: 7 })).toEqual([true, true, true]);
    expect(hidesOf('sliding-window', { window: 40 })).toEqual([false, false, false]);
    expect(hidesOf('full')).toEqual([false, false, false]);
    const cycle = { kind: 'per-layer', cycle: [makeScenario('causal'), makeScenario('sliding-window', { window: 9 })] } as const;
    expect(cutRequest(cycle, causal, 40).hides).toEqual([false, true, false]);
  });

  it('leave what both show, where the scenario also shows what the model hides', () => {
    const mixed = cutRequest(makeScenario('local-window', { window: 5 }), causal, 40);
    expect(mixed.hides).toEqual([true, true, true]);
    expect(mixed.left).toEqual(makeScenario('custom', { expression: '(abs(q - k) <= 2) and (k <= q)' }));
    expect(cutRequest(makeScenario('sliding-window', { window: 7 }), causal, 40).left).toEqual(
      makeScenario('sliding-window', { window: 7 }),
    );
  });

  it('are refused where heads have masks of their own', () => {
    const heads = { kind: 'per-head', cycle: [makeScenario('causal'), makeScenario('sliding-window', { window: 9 })] } as const;
    expect(() => cutRequest(heads, causal, 40)).toThrow(/has a mask for each head, .*; choose one of its cycle\.$/);
  });

  it('leave documents where they begin', () => {
    const starts = { doc: [0, 15, 30] };
    const apart = withStarts(makeScenario('custom', { expression: 'doc(q) == doc(k)' }), starts);
    const { left } = cutRequest(apart, causal, 40);
    expect(left).toEqual(withStarts(makeScenario('custom', { expression: '(doc(q) == doc(k)) and (k <= q)' }), starts));
    expect([maskOf(left, 40).allows(31, 30), maskOf(left, 40).allows(31, 29)]).toEqual([true, false]);
  });

  it('are refused where keys are sampled', () => {
    expect(() => cutRequest(makeScenario('average-case', { seed: 1 }), causal, 40)).toThrow(/average-case\(seed 1\) samples keys/);
  });

  it('read every scenario as the expression that it has', () => {
    fc.assert(
      fc.property(scenarios, scenarios, fc.integer({ min: 1, max: 40 }), (one, other, tokens) => {
        fc.pre([one, other].every(({ kind }) => kind !== 'average-case'));
        const [left, right, both] = [one, other, bothOf(one, other)].map((each) => maskOf(each, tokens));
        for (let pair = 0; pair < tokens ** 2; pair += 1) {
          const [query, key] = [Math.floor(pair / tokens), pair % tokens];
          expect(both.allows(query, key)).toBe(left.allows(query, key) && right.allows(query, key));
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('curves by token', () => {
  it('are means over stretches where a prompt is long', () => {
    const values = (factor: number): Float32Array => Float32Array.from({ length: 5000 }, (_, at) => factor * (at % 2));
    const curves = tokenCurves({ loss: values(1), maskedLoss: values(3), divergence: values(4) }, true);
    expect(curves).toEqual({
      stretch: 2,
      loss: new Array(2500).fill(0.5),
      maskedLoss: new Array(2500).fill(1.5),
      divergence: new Array(2500).fill(2),
    });
    expect(tokenCurves({ loss: values(1), maskedLoss: values(0), divergence: values(0) }, false)).toMatchObject({ maskedLoss: null });
  });
});
