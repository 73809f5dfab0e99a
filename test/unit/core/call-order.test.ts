import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeScenario, perLayer } from '../../../src/core/scenario/scenario';
import { callOrder, type OrderStep, type TileArea } from '../../../src/core/plan/call-order';
import { dispatchBands, dispatchCount, dispatchesOf, dispatchesOfBand } from '../../../src/core/plan/dispatches';
import { makePlan, type Plan } from '../../../src/core/plan/plan';
import { TileMasks } from '../../../src/core/plan/tile-masks';
import { runs, settings } from '../../support/arbitrary';
import { planOf, smallModel } from '../../support/shapes';
import { queryBlocksOf } from '../../support/query-blocks';

function tilesIn({ queries, keys, diagonal }: TileArea): string[] {
  const rows = Array.from({ length: queries.to - queries.from }, (_, index) => queries.from + index);
  return rows.flatMap((row, index) =>
    diagonal ? [`${row} ${keys.from + index}`] : Array.from({ length: keys.to - keys.from }, (_, column) => `${row} ${keys.from + column}`),
  );
}

/** The tiles of the query blocks before `blocks`. */
function tilesBefore(plan: Plan, blocks: number): string[] {
  return queryBlocksOf(plan)
    .slice(0, blocks)
    .flatMap(({ runs: tiles }, block) =>
      tiles.flatMap(({ from, to }) => tilesIn({ queries: { from: block, to: block + 1 }, keys: { from, to }, diagonal: false })),
    );
}

const doneBefore = (plan: Plan, { doneBlocks, done }: OrderStep): string[] =>
  [...tilesBefore(plan, doneBlocks), ...done.flatMap(tilesIn)].sort();

/** Memory of the scores of so many tiles. */
const scoreBytes = (tiles: number, rows: number): number => 4 * rows * rows * tiles;

describe('the order of calls', () => {
  it('reads every tile once, and has read before a step what the steps before it read', () => {
    fc.assert(
      fc.property(settings, fc.constantFrom(1, 2, 3, 7, 1000), (setting, limit) => {
        const plan = { ...planOf(setting), scoreBytes: scoreBytes(limit, Math.min(setting.tokens, setting.blockSize)) };
        const order = callOrder(plan);
        const read: string[] = [];
        for (let step = 0; step < order.steps; step += 1) {
          const at = order.at(step);
          expect(doneBefore(plan, at)).toEqual([...read].sort());
          expect(at.step).toBe(step);
          read.push(...at.current.flatMap(tilesIn));
        }
        expect(read.sort()).toEqual(tilesBefore(plan, plan.blocks).sort());
      }),
      { numRuns: 150 },
    );
  });

  it('has a step for every native run of the engine', () => {
    fc.assert(
      fc.property(settings, fc.constantFrom(1, 2, 3, 7, 1000), (setting, limit) => {
        const plan = planOf(setting);
        const { indexOf } = new TileMasks(plan);
        const dispatches = dispatchesOf(plan, indexOf, limit);
        expect([...dispatchBands(plan, indexOf, limit)].reduce((sum, band) => sum + dispatchCount(band, limit), 0)).toBe(dispatches.length);
        for (const band of dispatchBands(plan, indexOf, limit)) {
          const [again] = dispatchBands(plan, indexOf, limit, band.firstBlock);
          expect(dispatchesOfBand(again, limit)).toEqual(dispatchesOfBand(band, limit));
        }
      }),
      runs,
    );
  });

  it('goes through each kind of layer, and through query blocks under a black box', () => {
    const uniform = planOf({ tokens: 40, blockSize: 4, scenario: makeScenario('causal') });
    const mixed = makePlan({ ...uniform, scenario: perLayer([makeScenario('causal'), makeScenario('sliding-window', { window: 3 })]) });
    const order = callOrder(mixed);
    const [first, second] = mixed.parts.map(({ plan }) => callOrder(plan).steps);
    expect(order.steps).toBe(first + second);
    expect(order.at(0)).toMatchObject({ layers: [0, 2], step: 0, steps: first });
    expect(order.at(first)).toMatchObject({ layers: [1], step: 0, steps: second, doneBlocks: 0 });
    const blackBox = planOf({ tokens: 40, blockSize: 14, scenario: makeScenario('causal') }, {}, smallModel, 'tight');
    expect(callOrder(blackBox).steps).toBe(blackBox.blocks);
    expect(callOrder(blackBox).at(2)).toMatchObject({ doneBlocks: 2, done: [] });
    expect(callOrder(blackBox).at(2).current.flatMap(tilesIn)).toEqual(['2 0', '2 1', '2 2']);
  });

  it('goes through query blocks where a written mask is too large to look at pair by pair', () => {
    const scenario = { kind: 'custom', expression: 'k <= q and (q - k < 256 or k % 64 == 0)' } as const;
    const small = planOf({ tokens: 600, blockSize: 64, scenario });
    expect(callOrder({ ...small, scoreBytes: scoreBytes(1, 64) }).at(0).byBlock).toBe(false);
    const large = planOf({ tokens: 9000, blockSize: 256, scenario });
    expect(callOrder(large)).toMatchObject({ steps: large.blocks });
    expect(callOrder(large).at(3)).toMatchObject({ byBlock: true, doneBlocks: 3 });
  });

  it('goes through query blocks where a run reads several of them', () => {
    const plan = planOf({ tokens: 640, blockSize: 64, scenario: makeScenario('causal') });
    expect(dispatchesOf(plan, new TileMasks(plan).indexOf, 1000)).toHaveLength(1);
    expect(callOrder(plan)).toMatchObject({ steps: plan.blocks });
    expect(callOrder(plan).at(3)).toMatchObject({ byBlock: true, doneBlocks: 3 });
  });

  it('is found for a million tokens, which make half a million runs', () => {
    const plan = planOf({ tokens: 1_000_000, blockSize: 256, scenario: makeScenario('causal') });
    const order = callOrder(plan);
    const { doneBlocks, done } = order.at(Math.floor(order.steps / 2));
    expect(order.steps).toBeGreaterThan(400_000);
    expect(doneBlocks).toBeGreaterThan(plan.blocks / 2);
    expect(done.length).toBeLessThan(100);
  });
});
