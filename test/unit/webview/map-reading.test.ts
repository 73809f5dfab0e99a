// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { formatCount } from '../../../src/core/format';
import type { PanelSnapshot } from '../../../src/protocol/panel';
import { TileMap } from '../../../webview/map/tile-map';
import { canvas, causal, grid, pause, pictureOf, point } from './map';
import { find, fold, frame, isShown, legendOf, newPage, penOf, press, pressButton, put, tableOf, textOf, type Page } from './page';
import { snapshotOf, type Front } from './snapshots';

let page: Page;
let map: TileMap;

function showMap(front: Front = causal, more: Partial<PanelSnapshot> = {}): void {
  map = put(new TileMap(page.host, page.theme));
  map.update(snapshotOf(front, more));
  frame();
}

beforeEach(() => {
  page = newPage();
});

describe('the text of a tile', () => {
  const asked = (): readonly unknown[] => page.posted.filter(({ type }) => type === 'read-tile');

  function answer(queries: string, keys: string | null): void {
    const [last] = page.posted.slice(-1);
    if (last.type !== 'read-tile') {
      throw new Error('The page asked for no text.');
    }
    map.showText({ type: 'tile-text', request: last.request, queries, keys });
  }

  it('is asked for when the pointer rests, once, and shown when it comes', () => {
    showMap();
    point(5, 1);
    vi.advanceTimersByTime(pause / 2);
    point(5, 2);
    vi.advanceTimersByTime(pause);
    expect(asked()).toEqual([expect.objectContaining({ queryBlock: 5, keyBlock: 2 })]);
    expect(isShown('tile-queries')).toBe(false);
    answer('What is asked', 'What is <b>read</b>');
    expect([textOf('tile-queries'), textOf('tile-keys')]).toEqual(['What is asked', 'What is <b>read</b>']);
    expect(find('tile-keys').getAttribute('translate')).toBe('no');
  });

  it('is the queries’ alone on the diagonal, and where the keys lie scattered', () => {
    showMap();
    point(5, 5);
    vi.advanceTimersByTime(pause);
    answer('same', 'same');
    expect([isShown('tile-queries'), isShown('tile-keys')]).toEqual([true, false]);
    point(5, 2);
    vi.advanceTimersByTime(pause);
    answer('some', null);
    expect([isShown('tile-queries'), isShown('tile-keys')]).toEqual([true, false]);
  });

  it('is not that of an earlier tile, and asked for again where the prompt changed', () => {
    showMap();
    point(5, 2);
    vi.advanceTimersByTime(pause);
    const [first] = page.posted;
    point(5, 3);
    map.showText({ type: 'tile-text', request: (first as { request: number }).request, queries: 'old', keys: 'old' });
    expect(isShown('tile-queries')).toBe(false);
    vi.advanceTimersByTime(pause);
    answer('new', 'new');
    map.update(snapshotOf(causal));
    vi.advanceTimersByTime(pause);
    expect(asked()).toHaveLength(3);
    answer('newer', 'newer');
    expect(textOf('tile-queries')).toBe('newer');
  });

  it('stays when the keyboard leaves the map, so that nothing below it moves', () => {
    showMap();
    canvas().focus();
    vi.advanceTimersByTime(pause);
    answer('a', 'b');
    expect(isShown('tile-queries')).toBe(true);
    canvas().blur();
    expect(isShown('tile-queries')).toBe(true);
    vi.advanceTimersByTime(pause);
    expect(asked()).toHaveLength(1);
  });
});

describe('the editor’s place in the map', () => {
  it('is marked and explained', () => {
    showMap(causal, { place: { cursor: 5, visible: { from: 3, to: 6 } } });
    expect(legendOf(map.element).slice(2)).toEqual(['the cursor’s block', 'in the editor: blocks 4–6']);
    const { left, top, side } = grid();
    penOf(canvas()).clear();
    map.showPlace({ cursor: null, visible: { from: 3, to: 4 } });
    frame();
    expect(legendOf(map.element).slice(2)).toEqual(['in the editor: block 4']);
    const visible = penOf(canvas()).strokes.filter(({ method, fillStyle }) => method === 'fillRect' && fillStyle === '#00f000');
    expect(visible.map(({ args }) => args)).toHaveLength(2);
    const [beside, above] = visible.map(({ args }) => args as number[]);
    expect(beside[0]).toBeLessThan(left);
    expect((beside[1] - top) / side).toBeCloseTo(3 / 16, 1);
    expect((above[0] - left) / side).toBeCloseTo(3 / 16, 1);
  });

  it('comes into view where it moves out of what is shown', () => {
    showMap({ tokens: 6400 });
    pressButton('zoom-in');
    pressButton('zoom-in');
    expect(textOf('zoom-level')).toBe('4×');
    penOf(pictureOf()).clear();
    map.showPlace({ cursor: 99, visible: null });
    frame();
    const numbers = penOf(pictureOf()).texts.map(Number);
    expect(Math.max(...numbers)).toBeGreaterThan(90);
    expect(textOf('zoom-level')).toBe('4×');
    // The cursor that stands still leaves the map where the user moved it.
    canvas().focus();
    press(canvas(), 'ArrowUp', { shiftKey: true });
    frame();
    penOf(pictureOf()).clear();
    map.showPlace({ cursor: 99, visible: { from: 1, to: 2 } });
    frame();
    expect(penOf(pictureOf()).strokes).toEqual([]);
  });
});

describe('the map as a table', () => {
  it('has the runs of every query block, filled when it is opened', () => {
    showMap();
    const table = find('data-tiles').querySelector('table') as Element;
    expect(tableOf(table)).toHaveLength(1);
    fold('data-tiles', true);
    const rows = tableOf(table);
    expect(rows[0]).toEqual(['Query block', 'Tokens', 'Key blocks read', 'Tiles']);
    expect(rows).toHaveLength(17);
    expect(rows[1]).toEqual(['1', '1–64', '1 (partial)', '1']);
    expect(rows[4]).toEqual(['4', '193–256', '1–3 (full), 4 (partial)', '4']);
    map.update(snapshotOf({ ...causal, kind: 'average-case' }));
    expect(tableOf(table)[1][2]).toBe('one random block (sampled)');
    expect(table.parentElement?.getAttribute('aria-label')).toBe('Tiles as a table');
  });

  it('leaves out the middle of a long one, and says how much', () => {
    const long: Front = { tokens: 64 * 1000 };
    showMap(long);
    fold('data-tiles', true);
    const table = find('data-tiles').querySelector('table') as Element;
    const rows = tableOf(table);
    expect(rows).toHaveLength(202);
    expect(rows[101]).toEqual(['…', '', `${formatCount(800)} query blocks left out`, '']);
    expect([rows[100][0], rows[102][0], rows[201][0]]).toEqual(['100', '901', '1,000']);
    expect(table.querySelectorAll('.gap')).toHaveLength(1);
    // A row that was the gap is one like any other in a table that has none.
    map.update(snapshotOf({ tokens: 64 * 150 }));
    expect(tableOf(table)).toHaveLength(151);
    expect(table.querySelectorAll('.gap')).toHaveLength(0);
  });
});
