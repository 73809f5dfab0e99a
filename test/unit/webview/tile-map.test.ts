// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { formatCount } from '../../../src/core/format';
import { tileCost } from '../../../src/core/hints/tile-cost';
import type { PanelSnapshot } from '../../../src/protocol/panel';
import { TileMap } from '../../../webview/map/tile-map';
import { costSentence, idleHint, mapSummary, tileSentence } from '../../../webview/map/wording';
import {
  find,
  fold,
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
  tableOf,
  textOf,
  type Page,
} from './page';
import { current, emptySnapshot, planOf, snapshotOf, windowRun, type Front } from './snapshots';

/** 16 blocks of 64 tokens: a causal map has 120 full and 16 partial tiles. */
const causal: Front = { tokens: 1024 };

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

const canvas = (): HTMLCanvasElement => find('tile-map') as HTMLCanvasElement;

/** Longer than the pause before the host is asked for a tile's text. */
const pause = 150;

/** Where the grid lies in the canvas, from its ground: the first rectangle that is drawn. */
function grid(): { readonly left: number; readonly top: number; readonly side: number } {
  const [{ args }] = penOf(pictureOf()).of('fillRect');
  const [left, top, side] = args as number[];
  return { left, top, side };
}

/** The canvas that the map's own is a copy of. */
function pictureOf(): HTMLCanvasElement {
  const copies = penOf(canvas()).of('drawImage');
  return copies[copies.length - 1].args[0] as HTMLCanvasElement;
}

/** An event of a pointer over the middle of a tile of a map shown as a whole. */
function pointer(type: string, queryBlock: number, keyBlock: number, blocks = 16, more: PointerEventInit = {}): PointerEvent {
  const { left, top, side } = grid();
  const event = new PointerEvent(type, { bubbles: true, cancelable: true, pointerId: 1, ...more });
  const cell = side / blocks;
  Object.defineProperty(event, 'offsetX', { value: left + (keyBlock + 0.5) * cell });
  Object.defineProperty(event, 'offsetY', { value: top + (queryBlock + 0.5) * cell });
  return event;
}

const point = (queryBlock: number, keyBlock: number): boolean => canvas().dispatchEvent(pointer('pointermove', queryBlock, keyBlock));
const click = (queryBlock: number, keyBlock: number): boolean => canvas().dispatchEvent(pointer('click', queryBlock, keyBlock));

/** What is said of a tile. */
function saidOf(queryBlock: number, keyBlock: number, front: Front = causal): string {
  const plan = planOf(front);
  const run = plan.queryBlocks[queryBlock].runs.find(({ from, to }) => from <= keyBlock && keyBlock < to);
  const kind = run?.kind ?? 'full';
  return `${tileSentence(plan, { queryBlock, keyBlock, kind })} ${costSentence(tileCost(plan, queryBlock, keyBlock, snapshotOf(front).prediction))}`;
}

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

  it('is marked only while the map has the focus, and the pointer gives way to it', () => {
    showMap();
    point(5, 2);
    canvas().focus();
    expect(info()).toBe(saidOf(0, 0));
    canvas().blur();
    expect(info()).toBe(idleHint());
    canvas().focus();
    press(canvas(), 'ArrowDown');
    map.update(snapshotOf({ tokens: 2048 }));
    expect(info()).toBe(saidOf(1, 0, { tokens: 2048 }));
  });
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

  it('goes when the keyboard leaves the map', () => {
    showMap();
    canvas().focus();
    vi.advanceTimersByTime(pause);
    answer('a', 'b');
    expect(isShown('tile-queries')).toBe(true);
    canvas().blur();
    expect(isShown('tile-queries')).toBe(false);
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
    map.update(snapshotOf(causal));
    expect(tableOf(table)).toHaveLength(17);
    expect(table.querySelectorAll('.gap')).toHaveLength(0);
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
