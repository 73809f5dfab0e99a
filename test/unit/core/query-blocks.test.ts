import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makePlan } from '../../../src/core/plan/plan';
import { instancesBefore, type QueryBlock, QueryBlockWriter, richestCandidates } from '../../../src/core/plan/query-blocks';
import { planRequest } from '../../../src/core/plan/request';
import { tileCount, type TileRun } from '../../../src/core/plan/tiles';
import { defaultOptions } from '../../../src/core/options/table';
import type { ScenarioChoice } from '../../../src/core/scenario/scenario';
import { queryBlocksOf } from '../../support/query-blocks';
import { smallModel } from '../../support/shapes';

/** Blocks that move along for a while, and blocks of their own. */
const blocks = fc
  .array(
    fc.record({
      runs: fc.array(
        fc.record({
          from: fc.nat(20),
          size: fc.nat(9),
          fromStep: fc.integer({ min: -3, max: 3 }),
          toStep: fc.integer({ min: -3, max: 3 }),
          kind: fc.constantFrom('full', 'partial', 'sampled'),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      instances: fc.nat(50),
      step: fc.integer({ min: -4, max: 4 }),
      count: fc.integer({ min: 1, max: 6 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((stretches) =>
    stretches.flatMap(({ runs, instances, step, count }) =>
      Array.from({ length: count }, (_, own) => ({
        runs: runs.map(({ from, size, fromStep, toStep, kind }): TileRun => ({
          from: from + own * fromStep,
          to: from + size + own * toStep,
          kind,
        })),
        instances: instances + own * step,
      })),
    ),
  );

describe('query blocks', () => {
  it('are what was added, however they move', () => {
    fc.assert(
      fc.property(blocks, (added) => {
        const writer = new QueryBlockWriter();
        added.forEach(({ runs, instances }) => writer.add(runs, instances));
        const kept = writer.finish();
        let before = 0;
        const expected = added.map(({ runs, instances }): QueryBlock => {
          const block = { runs, tiles: tileCount(runs), firstInstance: before, instances };
          before += instances;
          return block;
        });
        expect(queryBlocksOf({ queryBlocks: kept })).toEqual(expected);
        expect(instancesBefore(kept, kept.length)).toBe(before);
      }),
    );
  });

  it('have those with the most instances among the candidates', () => {
    fc.assert(
      fc.property(blocks, fc.integer({ min: 1, max: 5 }), (added, limit) => {
        const writer = new QueryBlockWriter();
        added.forEach(({ runs, instances }) => writer.add(runs, instances));
        const candidates = richestCandidates(writer.finish(), limit);
        const most = (of: readonly number[]): number[] => of.toSorted((a, b) => b - a).slice(0, limit);
        expect(most(candidates.map((block) => added[block].instances))).toEqual(most(added.map(({ instances }) => instances)));
        expect(candidates).toEqual([...new Set(candidates)].sort((a, b) => a - b));
      }),
    );
  });

  it.each([
    { kind: 'causal' },
    { kind: 'full' },
    { kind: 'sliding-window', window: 1000 },
    { kind: 'attention-sink', window: 1000, sinks: 7 },
    { kind: 'local-window', window: 100 },
    { kind: 'average-case', seed: 1 },
  ] satisfies ScenarioChoice[])('are a few stretches under $kind, however many there are', (scenario) => {
    const { queryBlocks } = makePlan(planRequest(1_000_003, smallModel, { ...defaultOptions, scenario, blockSize: 16 }));
    expect(queryBlocks.length).toBe(62_501);
    expect(queryBlocks.firstBlock.length).toBeLessThan(140);
  });
});
