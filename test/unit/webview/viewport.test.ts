import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canZoomIn, panned, placeOfTile, resized, revealing, wholeMap, zoomed, type Viewport } from '../../../src/core/draw/map/viewport';

const share = fc.double({ min: 0, max: 1, noNaN: true });
const blocks = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 8_388_608 }));
/** A map somewhere between whole and nearest, moved anywhere. */
const shown = fc
  .tuple(blocks, share, share, share)
  .map(([total, nearness, x, y]) => ({ total, view: zoomed(wholeMap(total), total, total ** nearness, { x, y }) }));

function expectInside({ left, top, span }: Viewport, total: number): void {
  for (const first of [left, top]) {
    expect(first).toBeGreaterThanOrEqual(0);
    expect(first + span).toBeLessThanOrEqual(total * (1 + 1e-12));
  }
}

describe('the shown part of a map', () => {
  it('never leaves the map, however it is zoomed, moved and resized', () => {
    fc.assert(
      fc.property(
        shown,
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        share,
        share,
        fc.double({ min: -1e7, max: 1e7, noNaN: true }),
        blocks,
        ({ total, view }, factor, x, y, distance, other) => {
          expectInside(zoomed(view, total, factor, { x, y }), total);
          expectInside(panned(view, total, distance, -distance), total);
          expectInside(resized(view, total, other), other);
        },
      ),
    );
  });

  it('keeps the place under the pointer while it is zoomed, where the edges allow it', () => {
    const total = 4000;
    const view = { left: 1000, top: 2000, span: 400 };
    const place = { x: 0.25, y: 0.75 };
    const near = zoomed(view, total, 4, place);
    expect(near.span).toBe(100);
    expect(near.left + place.x * near.span).toBe(view.left + place.x * view.span);
    expect(near.top + place.y * near.span).toBe(view.top + place.y * view.span);
    expect(zoomed(near, total, 0.25, place)).toEqual(view);
  });

  it('is the whole map after zooming out far enough, and stops at a handful of blocks', () => {
    expect(zoomed({ left: 10, top: 90, span: 4 }, 100, 0.001, { x: 0.5, y: 0.5 })).toEqual(wholeMap(100));
    expect(zoomed(wholeMap(100), 100, 1000, { x: 0, y: 0 })).toEqual({ left: 0, top: 0, span: 4 });
    expect(canZoomIn(wholeMap(100), 100)).toBe(true);
    expect(canZoomIn({ left: 0, top: 0, span: 4 }, 100)).toBe(false);
    expect(canZoomIn(wholeMap(3), 3)).toBe(false);
  });

  it('moves to a tile, and only where the tile is not shown with its neighbours', () => {
    fc.assert(
      fc.property(shown, share, share, ({ total, view }, query, key) => {
        const tile = { queryBlock: Math.floor(query * (total - 1)), keyBlock: Math.floor(key * (total - 1)) };
        const near = revealing(view, total, tile);
        expect(near.span).toBe(view.span);
        expect(placeOfTile(near, tile)).not.toBeNull();
        const again = revealing(near, total, tile);
        expect(again.left).toBeCloseTo(near.left, 6);
        expect(again.top).toBeCloseTo(near.top, 6);
      }),
    );
    expect(revealing({ left: 10, top: 10, span: 20 }, 100, { queryBlock: 15, keyBlock: 20 })).toEqual({ left: 10, top: 10, span: 20 });
  });

  it('stays whole when a whole map grows, and stays where it was when a part is shown', () => {
    expect(resized(wholeMap(10), 10, 11)).toEqual(wholeMap(11));
    expect(resized({ left: 3, top: 4, span: 5 }, 10, 11)).toEqual({ left: 3, top: 4, span: 5 });
    expect(resized({ left: 3, top: 5, span: 5 }, 10, 8)).toEqual({ left: 3, top: 3, span: 5 });
  });
});
