// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';
import type { PanelSnapshot } from '../../../src/protocol/panel';
import { TileMap } from '../../../webview/map/tile-map';
import { idleHint, mapSummary } from '../../../webview/map/wording';
import { canvas, causal, click, grid, pictureOf, point, pointer, saidOf } from './map';
import {
  find,
  frame,
  inGerman,
  isShown,
  legendOf,
  newPage,
  penOf,
  press,
  pressButton,
  put,
  readable,
  room,
  setTheme,
  settle,
  textOf,
  type Page,
} from './page';
import { current, emptySnapshot, planOf, snapshotOf, windowRun, type Front } from './snapshots';

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

describe('the tile map', () => {
  it('is summed up in words, explained by a legend, and says how to use it', () => {
    showMap();
    expect(canvas().getAttribute('role')).toBe('application');
    expect(canvas().getAttribute('aria-label')).toBe(mapSummary(planOf(causal)));
    expect(canvas().getAttribute('aria-label')).toContain('16 query blocks by 16 key blocks, 136 tiles');
    expect(legendOf(map.element)).toEqual(['120 full: every pair is visible', '16 partial: the mask hides some pairs']);
    expect(find('tiles-full').dataset['value']).toBe('120');
    expect(textOf('tile-info')).toBe(idleHint());
    const help = document.getElementById(canvas().getAttribute('aria-describedby') ?? '');
    expect(help?.textContent).toContain('Arrow keys move over the tiles');
  });

  it('draws the tiles of each kind in their colours, and the blocks’ numbers', () => {
    showMap();
    const pen = penOf(pictureOf());
    const { left, top, side } = grid();
    const cell = side / 16;
    const tiles = (colour: string): readonly (readonly unknown[])[] =>
      pen
        .of('fillRect')
        .filter(({ fillStyle }) => fillStyle === colour || (fillStyle as { colour?: string }).colour === colour)
        .map(({ args }) => args);
    // A band for each row of tiles: the full ones up to the diagonal, which is partial.
    const near = (rectangle: readonly unknown[]): number[] => (rectangle as number[]).map((value) => Math.round(value / cell));
    const [column, row] = [left, top].map((edge) => Math.round(edge / cell));
    expect(tiles('#0000f0').map(near)[2]).toEqual([column, Math.round((top + 3 * cell) / cell), 3, 1]);
    expect(tiles('#0000f0')).toHaveLength(15);
    expect(tiles('#f08000')).toHaveLength(16);
    expect(near(tiles('#f08000')[0])).toEqual([column, row, 1, 1]);
    expect(pen.texts).toContain('1');
    expect(side).toBeLessThanOrEqual(room.width);
  });

  it('has another legend, summary and picture for another plan, and none anew for the same', () => {
    showMap();
    const pen = penOf(pictureOf());
    pen.clear();
    map.update(snapshotOf(causal));
    frame();
    expect(pen.strokes).toEqual([]);
    map.update(snapshotOf({ ...causal, kind: 'average-case' }));
    frame();
    expect(pen.strokes).not.toEqual([]);
    expect(legendOf(map.element)).toEqual([expect.stringMatching(/ sampled: one random block of keys$/)]);
    expect(textOf('tile-remark')).toBe('The tile in column t stands for one random block of keys, not for key block t.');
    map.update(snapshotOf(causal));
    expect(isShown('tile-remark')).toBe(false);
  });

  it('is drawn again in another theme', async () => {
    showMap();
    setTheme({ 'charts-blue': '#123456' });
    await settle();
    expect(
      penOf(pictureOf())
        .of('fillRect')
        .map(({ fillStyle }) => fillStyle),
    ).toContain('#123456');
  });

  it('says where tiles share a pixel', () => {
    showMap({ tokens: 100_000 });
    expect(textOf('tile-remark')).toMatch(/^One pixel shows up to \d+ × \d+ tiles\.$/);
  });

  it('is not there without a plan', () => {
    showMap();
    map.update(emptySnapshot());
    expect(isShown(map.element)).toBe(false);
  });
});

describe('pointing at a tile', () => {
  it('says what it reads and what it costs, quietly, and is marked', () => {
    showMap();
    point(5, 2);
    expect(textOf('tile-info')).toBe(saidOf(5, 2));
    expect(textOf('tile-info')).toContain('query block 6 (tokens 321–384) reads key block 3 (tokens 129–192): full tile');
    expect(textOf('tile-cost')).toContain('about');
    expect(find('tile-info').getAttribute('aria-live')).toBe('off');
    expect(canvas().classList.contains('over-tile')).toBe(true);
    frame();
    const next = pointer('pointermove', 5, 3);
    penOf(canvas()).clear();
    canvas().dispatchEvent(next);
    frame();
    expect(
      penOf(canvas())
        .of('strokeRect')
        .map(({ strokeStyle }) => strokeStyle),
    ).toEqual(['#030303', '#010101']);
  });

  it('keeps the last tile where there is none: what is said of it may have to be scrolled to', () => {
    showMap();
    point(5, 2);
    point(2, 9);
    expect(textOf('tile-info')).toBe(saidOf(5, 2));
    expect(canvas().classList.contains('over-tile')).toBe(false);
  });

  it('selects its text in the editor when clicked, and nothing where there is no tile', () => {
    showMap();
    click(2, 9);
    expect(page.posted).toEqual([]);
    click(7, 4);
    expect(page.posted).toEqual([{ type: 'select-tile', queryBlock: 7, keyBlock: 4 }]);
  });
});

describe('the keyboard on the map', () => {
  const info = (): string => textOf('tile-info');

  it('begins at the cursor’s block, says each tile aloud, and goes over the tiles there are', () => {
    showMap(causal, { place: { cursor: 5, visible: null } });
    canvas().focus();
    expect(info()).toBe(saidOf(5, 0));
    expect(find('tile-info').getAttribute('aria-live')).toBe('polite');
    const go = (key: string, more: KeyboardEventInit = {}): string => {
      expect(press(canvas(), key, more)).toBe(true);
      return info();
    };
    expect(go('ArrowRight')).toBe(saidOf(5, 1));
    expect(go('ArrowDown')).toBe(saidOf(6, 1));
    expect(go('End')).toBe(saidOf(6, 6));
    expect(go('ArrowRight')).toBe(saidOf(6, 6));
    expect(go('ArrowUp')).toBe(saidOf(5, 5));
    expect(go('Home')).toBe(saidOf(5, 0));
    expect(go('ArrowLeft')).toBe(saidOf(5, 0));
    expect(go('PageDown')).toBe(saidOf(7, 0));
    expect(go('PageUp')).toBe(saidOf(5, 0));
    expect(go('End', { ctrlKey: true })).toBe(saidOf(15, 15));
    expect(go('Home', { ctrlKey: true })).toBe(saidOf(0, 0));
  });

  it('skips what is not read', () => {
    const sinks: Front = { tokens: 1024, kind: 'attention-sink', parameters: { window: 64, sinks: 4 } };
    showMap(sinks, { place: { cursor: 10, visible: null } });
    canvas().focus();
    expect(info()).toBe(saidOf(10, 0, sinks));
    press(canvas(), 'ArrowRight');
    expect(info()).toBe(saidOf(10, 9, sinks));
    press(canvas(), 'ArrowLeft');
    expect(info()).toBe(saidOf(10, 0, sinks));
  });

  it('selects the tile’s text at Enter or Space', () => {
    showMap();
    canvas().focus();
    press(canvas(), 'ArrowDown');
    press(canvas(), 'Enter');
    press(canvas(), ' ');
    expect(page.posted).toEqual([
      { type: 'select-tile', queryBlock: 1, keyBlock: 0 },
      { type: 'select-tile', queryBlock: 1, keyBlock: 0 },
    ]);
  });

  it('leaves other keys to the browser', () => {
    showMap();
    canvas().focus();
    expect([press(canvas(), 'Tab'), press(canvas(), 'x'), press(canvas(), 'ArrowDown', { altKey: true })]).toEqual([false, false, false]);
    expect(press(canvas(), '+', { ctrlKey: true })).toBe(false);
  });

  it('stays described when the map loses the focus, and the pointer gives way to it', () => {
    showMap();
    point(5, 2);
    canvas().focus();
    expect(info()).toBe(saidOf(0, 0));
    canvas().blur();
    expect(info()).toBe(saidOf(0, 0));
    canvas().focus();
    press(canvas(), 'ArrowDown');
    map.update(snapshotOf({ tokens: 2048 }));
    expect(info()).toBe(saidOf(1, 0, { tokens: 2048 }));
  });
});

describe('a run in the map', () => {
  it('covers the cursor’s lines while its steps are shown, and says whether it was made', () => {
    showMap(causal, { place: { cursor: 5, visible: null } });
    pressButton('step-on');
    expect(textOf('play-step')).toMatch(/ of a run, /);
    expect(legendOf(map.element)).not.toContain('the cursor’s block');
    map.update(snapshotOf(causal, { runs: [current(windowRun)], place: { cursor: 5, visible: null } }));
    expect(textOf('play-step')).toMatch(/ of the last run, /);
    pressButton('play-leave');
    expect(legendOf(map.element)).toContain('the cursor’s block');
  });
});

describe('in German', () => {
  it('tiles are described in German', () => {
    inGerman();
    showMap();
    point(5, 2);
    expect(textOf('tile-info')).toBe(saidOf(5, 2));
    expect(textOf('tile-info')).not.toContain('reads');
    expect(readable(find('tiles-full'))).toMatch(/^120 /);
  });
});
