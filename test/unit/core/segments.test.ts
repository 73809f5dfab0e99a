import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeparableHead } from '../../../src/core/math/separable-head';
import { uniform } from '../../../src/core/math/random';
import { defaultOptions } from '../../../src/core/options/table';
import { instancesOfBlocks, layerParts, makePlan, partOfLayers, type Plan } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { cutPlan, segmentsOf, tensorBytes, wholeRun } from '../../../src/core/plan/segments';
import { memoryOf } from '../../../src/core/predict/memory';
import { rangesByPredicate } from '../../../src/core/scenario/by-predicate';
import { isSampled, type LayerScenario, maskOf, perLayer, type Scenario } from '../../../src/core/scenario/scenario';
import { placesOf } from '../../../src/core/shards/cut';
import { settings } from '../../support/arbitrary';

const shape = { layers: 3, heads: 4, keyValueHeads: 2, headWidth: 8, width: 32, feedForwardWidth: 16, vocabulary: 90 };
/** The embedded model's. */
const embedded = { layers: 6, heads: 8, keyValueHeads: 4, headWidth: 32, width: 256, feedForwardWidth: 704, vocabulary: 4096 };

const windows: LayerScenario = { kind: 'attention-sink', window: 512, sinks: 4 };

function planOf(tokens: number, blockSize: number, scenario: Scenario, model: Plan['model'] = shape, instances = {}): Plan {
  return makePlan(planRequest(tokens, model, { ...defaultOptions, ...instances, scenario, blockSize }));
}

/** Two scenarios by turns, and how many blocks enter the first layer in a step. */
const cuts = fc
  .record({ one: settings, other: settings, least: fc.integer({ min: 1, max: 5 }) })
  .filter(({ one, other }) => !isSampled(one.scenario) && !isSampled(other.scenario))
  .map(({ one: { tokens, blockSize, scenario }, other, least }) => ({
    least,
    plan: planOf(tokens, blockSize, perLayer([scenario, other.scenario])),
  }));

describe('a run in segments', () => {
  it('attends every row of every layer once, in order, and holds all that it sees', () => {
    fc.assert(
      fc.property(cuts, ({ plan, least }) => {
        const segments = cutPlan(plan, least);
        if (segments === undefined) {
          throw new Error('Four heads fill calls of four instances, wherever a step ends.');
        }
        const masks = layerParts(plan).map((part) => maskOf(part.plan.scenario, plan.tokens));
        partOfLayers(plan).forEach((part, layer) => {
          let [attended, entered] = [0, 0];
          for (const step of segments.steps) {
            const { queries, incoming, keys } = step[layer];
            expect(queries.from).toBe(attended);
            expect(incoming).toEqual(layer === 0 ? { from: entered, to: incoming.to } : step[layer - 1].queries);
            expect(keys.at(-1)?.to ?? incoming.to).toBe(incoming.to);
            expect(incoming.to - queries.from).toBeLessThanOrEqual(segments.queries);
            for (let row = queries.from; row < queries.to; row += 1) {
              expect(placesOf(keys, rangesByPredicate(masks[part], row, plan.tokens))).toBeDefined();
            }
            [attended, entered] = [queries.to, incoming.to];
          }
          expect([attended, entered]).toEqual([plan.tokens, plan.tokens]);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('makes the calls of the plan, or none at all', () => {
    const found = [1, 2, 3, 5, 6].map((oracleHeads) => {
      const plan = planOf(640, 16, { kind: 'sliding-window', window: 20 }, shape, { oracleHeads });
      const steps = cutPlan(plan, 2)?.steps;
      const calls = steps?.reduce(
        (sum, [{ queries }]) => sum + Math.ceil((4 * instancesOfBlocks(plan, queries.from / 16, queries.to / 16)) / oracleHeads),
        0,
      );
      expect(calls ?? plan.calls.attention / 3).toBe(plan.calls.attention / 3);
      return steps?.length;
    });
    // 1, 3, 6, 9, ... tiles come before a query block: four times as many instances fill calls of 5 in one of five places.
    expect(found).toEqual([20, 20, 20, undefined, 20]);
  });

  it('is what a long prompt under a window takes, in memory that does not grow with it', () => {
    const bytesOf = (tokens: number, scenario: Scenario): number =>
      memoryOf(planOf(tokens, 128, scenario, embedded), { executor: 'tiles', verify: 'rows', scored: false, processBytes: 0 }).peak;
    expect(segmentsOf(planOf(32_768, 128, windows, embedded)).steps).toHaveLength(1);
    expect(segmentsOf(planOf(131_072, 128, windows, embedded)).steps).toHaveLength(16);
    expect(bytesOf(1_048_576, windows)).toBeLessThan(1.05 * bytesOf(131_072, windows));
    expect(bytesOf(1_048_576, windows)).toBeLessThan(300 * 2 ** 20);
    // The keys of all causal layers are more than all else of one.
    expect(segmentsOf(planOf(131_072, 128, { kind: 'causal' }, embedded)).steps).toHaveLength(1);
    // Of a few causal layers they are not.
    const wide = { ...embedded, heads: 16, headWidth: 64, width: 1024 };
    const mixed = planOf(131_072, 128, perLayer([windows, windows, windows, windows, windows, { kind: 'causal' }]), wide);
    const segments = segmentsOf(mixed);
    expect(segments.carriedKeys).toBeGreaterThan(131_072 - 8192);
    expect(tensorBytes(wide, segments)).toBeLessThan(tensorBytes(wide, wholeRun(mixed)) / 2);
  });
});

describe('the numbers of a probe', () => {
  it('are the same for a row, whichever rows are made', () => {
    const ranges = [
      { from: 0, to: 3 },
      { from: 17, to: 40 },
      { from: 299, to: 300 },
    ];
    for (const [width, cap] of [[1], [2], [8], [8, 5]] as const) {
      const [all, some] = [undefined, ranges].map((made) => new SeparableHead(300, width, 7, cap, made));
      for (const name of ['queries', 'keys', 'values'] as const) {
        const expected = ranges.flatMap(({ from, to }) => [...all[name].subarray(from * width, to * width)]);
        expect([...some[name]]).toEqual(expected);
      }
    }
  });

  it('are those of a generator that was entered where they are', () => {
    const [next, later] = [uniform(9), uniform(9, 5)];
    const drawn = Array.from({ length: 8 }, next);
    expect(Array.from({ length: 3 }, later)).toEqual(drawn.slice(5));
  });
});
