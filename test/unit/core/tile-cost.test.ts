import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { excerptLength, excerptOf } from '../../../src/core/text/printable';
import { tileCost } from '../../../src/core/hints/tile-cost';
import type { Construction } from '../../../src/core/construct/construction';
import { makeScenario, perLayer } from '../../../src/core/scenario/scenario';
import { makePlan, type Plan } from '../../../src/core/plan/plan';
import type { DevicePrediction } from '../../../src/core/predict/prediction';
import { runs, settings } from '../../support/arbitrary';
import { planOf, smallModel } from '../../support/shapes';
import { queryBlocksOf } from '../../support/query-blocks';

/** A device that takes 30 ms for a plan's attention, and 70 ms for the rest. */
const prediction = { phases: { gather: 5, attend: 20, layer: 5, project: 70 } } as unknown as DevicePrediction;

/** The cost of every tile of a plan. */
function costsOf(plan: Plan): ReturnType<typeof tileCost>[] {
  return queryBlocksOf(plan).flatMap(({ runs: tiles }, block) =>
    tiles.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, index) => tileCost(plan, block, from + index, prediction))),
  );
}

function expectWhole(plan: Plan): void {
  const costs = costsOf(plan);
  expect(costs.reduce((sum, { flops }) => sum + flops, 0)).toBeCloseTo(plan.flopsByPhase.attend, -1);
  expect(costs.reduce((sum, { expectedMs }) => sum + (expectedMs ?? 0), 0)).toBeCloseTo(30, 6);
}

describe('the cost of a tile', () => {
  it('adds up to the cost of the plan, and its calls to the calls of a layer', () => {
    const oracle = fc.record({ layers: fc.integer({ min: 1, max: 3 }), heads: fc.integer({ min: 1, max: 5 }) });
    fc.assert(
      fc.property(settings, oracle, (setting, small) => {
        const plan = planOf(setting, small);
        expectWhole(plan);
        const costs = costsOf(plan);
        // One after another: a tile begins in the call in which the one before it ends, or in the next.
        let last = 0;
        for (const { firstCall, lastCall, layers } of costs) {
          expect(firstCall === last || firstCall === last + 1).toBe(true);
          expect(lastCall).toBeGreaterThanOrEqual(firstCall);
          expect(layers).toBe(smallModel.layers);
          last = lastCall;
        }
        expect(last).toBe(plan.calls.attention / plan.model.layers);
      }),
      runs,
    );
  });

  it('adds up under a black box, whose calls are those of the query block', () => {
    for (const construction of ['tight', 'paper'] satisfies Construction[]) {
      const plan = planOf({ tokens: 61, blockSize: 14, scenario: makeScenario('causal') }, {}, smallModel, construction);
      expectWhole(plan);
      expect(costsOf(plan).every(({ ofQueryBlock }) => ofQueryBlock)).toBe(true);
      expect(costsOf(plan).at(-1)?.lastCall).toBe(plan.calls.attention / plan.model.layers);
    }
  });

  it('counts the layers that read the tile, where layers differ', () => {
    const uniform = planOf({ tokens: 40, blockSize: 4, scenario: makeScenario('causal') });
    const scenario = perLayer([makeScenario('causal'), makeScenario('sliding-window', { window: 3 })]);
    const plan = makePlan({ ...uniform, scenario });
    expectWhole(plan);
    expect(tileCost(plan, 9, 0, null)).toMatchObject({ layers: 2, expectedMs: null });
    expect(tileCost(plan, 9, 9, null).layers).toBe(3);
  });
});

describe('an excerpt', () => {
  it('is the text itself where it is short, and the beginning and the end of a long one', () => {
    const read = (text: string) => (from: number, to: number) => text.slice(from, to);
    expect(excerptOf(read('one two three'), 4, 7)).toBe('two');
    const long = Array.from({ length: 400 }, (_, index) => String(index)).join(' ');
    const excerpt = excerptOf(read(long), 0, long.length);
    expect(excerpt.length).toBe(excerptLength + 3);
    expect(excerpt.startsWith('0 1 2 3')).toBe(true);
    expect(excerpt.endsWith('398 399')).toBe(true);
  });

  it('cuts no character in two', () => {
    const text = '🙂'.repeat(300);
    for (const from of [0, 1, 2, 3]) {
      expect(excerptOf((a, b) => text.slice(a, b), from, text.length - 3)).toMatch(/^(🙂)+ … (🙂)+$/u);
    }
  });
});
