import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeScenario } from '../../../src/core/scenario/scenario';
import { bandsOf, blocksAt, columnsOf, pixelsOf, rowsOf, tileAt, type Grid } from '../../../src/core/draw/map/geometry';
import { wholeMap, zoomed } from '../../../src/core/draw/map/viewport';
import { planOf } from '../../support/shapes';
import { runs, settings } from '../../support/arbitrary';

const share = fc.double({ min: 0, max: 1, noNaN: true });

/** A grid that shows some part of a map. */
function gridOf(blocks: number, side: number, nearness: number, x: number, y: number): Grid {
  return { blocks, side, shown: zoomed(wholeMap(blocks), blocks, blocks ** nearness, { x, y }) };
}

describe('the drawing of a map', () => {
  it('fills just those pixels under which there is a tile', () => {
    fc.assert(
      fc.property(settings, fc.integer({ min: 4, max: 40 }), share, share, share, (setting, side, nearness, x, y) => {
        const plan = planOf(setting);
        const grid = gridOf(plan.blocks, side, nearness, x, y);
        const filled = Array.from({ length: side }, () => new Array<boolean>(side).fill(false));
        for (const { y: rows, spans } of bandsOf(plan.queryBlocks, grid)) {
          for (const { from, to } of Object.values(spans).flat()) {
            for (let row = rows.from; row < rows.to; row += 1) {
              filled[row].fill(true, from, to);
            }
          }
        }
        const under = filled.map((row, down) => row.map((_, right) => tileAt(plan.queryBlocks, grid, right, down) !== undefined));
        expect(filled).toEqual(under);
      }),
      {
        ...runs,
        // A shift so small that the pixel of a block and the block of a pixel round to different sides.
        examples: [
          [{ tokens: 13, blockSize: 2, scenario: makeScenario('causal') }, 4, 0.28758562578395563, 1.8503717077085947e-17, 0],
          [
            { tokens: 19, blockSize: 3, scenario: makeScenario('sliding-window', { window: 2 }) },
            4,
            0.28758562578395563,
            0,
            7.401486830834379e-17,
          ],
        ],
      },
    );
  });

  it('shows every block of a whole map in at least one pixel, and the block under each pixel', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 4, max: 500 }), share, (blocks, side, where) => {
        const axis = rowsOf({ blocks, side, shown: wholeMap(blocks) });
        const block = Math.min(blocks - 1, Math.floor(where * blocks));
        const { from, to } = pixelsOf(axis, { from: block, to: block + 1 });
        expect(from).toBeGreaterThanOrEqual(0);
        expect(to).toBeLessThanOrEqual(side);
        const at = blocksAt(axis, from);
        expect(at.from <= block && block < at.to).toBe(true);
      }),
    );
  });

  it('makes as many bands as there are pixels at most for a million tokens, wherever it is zoomed', () => {
    const plan = planOf({ tokens: 1_000_000, blockSize: 4, scenario: makeScenario('causal') });
    for (const nearness of [0, 0.5, 1]) {
      const grid = gridOf(plan.blocks, 460, nearness, 0.3, 0.6);
      const bands = bandsOf(plan.queryBlocks, grid);
      expect(bands.length).toBeLessThanOrEqual(461);
      expect(columnsOf(grid).span).toBe(grid.shown.span);
    }
  });
});
