// @vitest-environment happy-dom
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boxesOf } from '../../../src/core/draw/map/layout';
import { blocksAt, columnsOf, rowsOf } from '../../../src/core/draw/map/geometry';
import { playingMs, stepAfter } from '../../../webview/map/playback';
import { wholeMap, zoomed } from '../../../src/core/draw/map/viewport';

const share = fc.double({ min: 0, max: 1, noNaN: true });

describe('playing the order of calls', () => {
  it('takes 5 to 10 seconds, however many steps there are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), (steps) => {
        expect(playingMs(steps)).toBeGreaterThanOrEqual(5000);
        expect(playingMs(steps)).toBeLessThanOrEqual(10_000);
        expect(stepAfter(0, 0, steps)).toBe(0);
        expect(stepAfter(playingMs(steps), 0, steps)).toBe(steps - 1);
      }),
    );
  });

  it('draws areas inside the square, a diagonal with a box a row of pixels at most, on its own blocks', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 8, max: 60 }),
        share,
        share,
        share,
        share,
        fc.boolean(),
        (blocks, side, nearness, x, y, where, diagonal) => {
          const grid = { blocks, side, shown: zoomed(wholeMap(blocks), blocks, blocks ** nearness, { x, y }) };
          const from = Math.floor(where * blocks);
          const area = { queries: { from, to: blocks }, keys: { from: 0, to: blocks - from }, diagonal };
          const boxes = boxesOf(area, grid);
          expect(boxes.length).toBeLessThanOrEqual(diagonal ? side + 1 : 1);
          for (const box of boxes) {
            expect(Math.min(box.x.from, box.y.from)).toBeGreaterThanOrEqual(0);
            expect(Math.max(box.x.to, box.y.to)).toBeLessThanOrEqual(side);
            if (diagonal) {
              const rows = { from: blocksAt(rowsOf(grid), box.y.from).from, to: blocksAt(rowsOf(grid), box.y.to - 1).to };
              const columns = { from: blocksAt(columnsOf(grid), box.x.from).from, to: blocksAt(columnsOf(grid), box.x.to - 1).to };
              // The keys of the box's query blocks, up to what shares their pixels.
              const slack = Math.ceil(grid.shown.span / side) + 1;
              expect(Math.abs(rows.from - from - columns.from)).toBeLessThanOrEqual(slack);
              expect(Math.abs(rows.to - from - columns.to)).toBeLessThanOrEqual(slack);
            }
          }
        },
      ),
    );
  });
});
