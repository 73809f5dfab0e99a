import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dispatchesOf, type Dispatch, type TileStack } from '../../../src/core/plan/dispatches';
import { blockEnd, blockStart } from '../../../src/core/plan/partition';
import type { LayerPlan } from '../../../src/core/plan/plan';
import { TileMasks } from '../../../src/core/plan/tile-masks';
import { runs, settings } from '../../support/arbitrary';
import { planOf } from '../../support/shapes';
import { queryBlocksOf } from '../../support/query-blocks';

const limits = fc.constantFrom(1, 2, 3, 7, 1000);

/** The tiles of a dispatch with their masks, as `query block, key block, mask`. */
function tilesOf({ firstBlock, blocks, stacks, further }: Dispatch): string[] {
  const alone = (block: number, { from, tiles, mask }: TileStack): string[] =>
    Array.from({ length: tiles }, (_, index) => `${block} ${from + index} ${mask ?? 'open'}`);
  const shared = stacks.flatMap((stack) =>
    blocks === 1
      ? alone(firstBlock, stack)
      : Array.from({ length: blocks }, (_, index) => {
          const { from, tiles, mask } = stack;
          return `${firstBlock + index} ${tiles === 1 ? from : from + index} ${mask ?? 'open'}`;
        }),
  );
  return [...shared, ...further.flatMap((stack, index) => (stack === undefined ? [] : alone(firstBlock + index, stack)))];
}

/** The tiles of a plan with the masks they need. */
function expectedTiles(plan: LayerPlan, masks: TileMasks): string[] {
  return queryBlocksOf(plan).flatMap(({ runs: tileRuns }, block) =>
    tileRuns.flatMap(({ from, to, kind }) =>
      Array.from({ length: to - from }, (_, index) => {
        const keyBlock = from + index;
        const short = blockEnd(plan, keyBlock) - blockStart(plan, keyBlock) < masks.rows;
        const mask = kind === 'partial' || short ? masks.indexOf(block, keyBlock, kind === 'partial') : 'open';
        return `${block} ${keyBlock} ${mask}`;
      }),
    ),
  );
}

describe('the dispatches of a plan', () => {
  it('read every tile once, under its own mask, within the limit', () => {
    fc.assert(
      fc.property(settings, limits, (setting, limit) => {
        const plan = planOf(setting);
        const masks = new TileMasks(plan);
        const dispatches = dispatchesOf(plan, masks.indexOf, limit);
        expect(dispatches.flatMap(tilesOf).sort()).toEqual(expectedTiles(plan, masks).sort());
        for (const dispatch of dispatches) {
          expect(dispatch.instances).toBe(tilesOf(dispatch).length);
          const { blocks, stacks, further } = dispatch;
          const atOnce = [...(blocks === 1 ? stacks : [{ tiles: blocks }]), ...further].map((stack) => stack?.tiles ?? 0);
          expect(Math.max(...atOnce)).toBeLessThanOrEqual(limit);
          expect(further.length === 0 || further.length === blocks).toBe(true);
        }
      }),
      runs,
    );
  });

  it('begin a query block with its own key block, and hand its sums on until it is done', () => {
    fc.assert(
      fc.property(settings, limits, (setting, limit) => {
        const plan = planOf(setting);
        const state = new Array<'untouched' | 'begun' | 'done'>(plan.blocks).fill('untouched');
        for (const { firstBlock, blocks, stacks, continues, continued } of dispatchesOf(plan, new TileMasks(plan).indexOf, limit)) {
          for (let block = firstBlock; block < firstBlock + blocks; block += 1) {
            expect(state[block]).toBe(continues ? 'begun' : 'untouched');
            state[block] = continued ? 'begun' : 'done';
          }
          if (!continues) {
            expect(stacks[0].from).toBe(firstBlock);
          }
        }
        expect(new Set(state)).toEqual(new Set(['done']));
      }),
      runs,
    );
  });

  it('read a causal prompt of few blocks in two, in pieces that can be cancelled between', () => {
    const tilesAtOnce = (tokens: number, blockSize: number, limit: number): number[] => {
      const plan = planOf({ tokens, blockSize, scenario: { kind: 'causal' } });
      return dispatchesOf(plan, new TileMasks(plan).indexOf, limit).map(({ instances }) => instances);
    };
    expect(tilesAtOnce(4096, 256, 16)).toEqual([136]);
    // Of 2,048 query blocks of 256 the last would read as many tiles each: they follow in runs of their own.
    expect(Math.max(...tilesAtOnce(65_536, 256, 16))).toBeLessThanOrEqual(256);
    expect(Math.max(...tilesAtOnce(65_536, 1024, 64))).toBeLessThanOrEqual(64);
  });

  it('join the query blocks of a window that is far from the start', () => {
    const plan = planOf({ tokens: 1024, blockSize: 16, scenario: { kind: 'attention-sink', window: 40, sinks: 4 } });
    const joined = dispatchesOf(plan, new TileMasks(plan).indexOf, 64);
    expect(Math.max(...joined.map(({ blocks }) => blocks))).toBeGreaterThan(8);
    expect(joined.length).toBeLessThan(8);
  });
});
