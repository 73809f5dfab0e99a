// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { callOrder } from '../../../src/core/plan/call-order';
import { TileMap } from '../../../webview/map/tile-map';
import { mapSummary, stepSentence } from '../../../webview/map/wording';
import { playingMs } from '../../../webview/map/playback';
import { find, frame, isShown, newPage, penOf, press, pressButton, put, room, settle, textOf, type Page } from './page';
import { planOf, snapshotOf, type Front } from './snapshots';

/** 100 blocks of 64 tokens. */
const front: Front = { tokens: 6400 };

let page: Page;

beforeEach(() => {
  page = newPage();
  const map = put(new TileMap(page.host, page.theme));
  map.update(snapshotOf(front));
  frame();
});

const canvas = (): HTMLCanvasElement => find('tile-map') as HTMLCanvasElement;
const level = (): string => textOf('zoom-level');
const isOn = (id: string): boolean => find(id).getAttribute('aria-disabled') === null;

/** The blocks whose numbers stand beside the map's rows and above its columns: those that are shown. */
function shownBlocks(): { readonly first: number; readonly last: number } {
  frame();
  const copies = penOf(canvas()).of('drawImage');
  const { strokes } = penOf(copies[copies.length - 1].args[0] as HTMLCanvasElement);
  // Every picture begins by wiping the canvas.
  const whole = strokes.map(({ method, args: [x, y, width] }) => method === 'clearRect' && x === 0 && y === 0 && Number(width) > 10);
  const texts = strokes.slice(whole.lastIndexOf(true)).filter(({ method }) => method === 'fillText');
  const numbers = texts.map(({ args: [text] }) => Number(text));
  return { first: Math.min(...numbers), last: Math.max(...numbers) };
}

/** A gesture over a place of the map: shares of its canvas. */
function gesture(type: string, x: number, y: number, more: PointerEventInit & WheelEventInit = {}): boolean {
  const options = { bubbles: true, cancelable: true, pointerId: 1, button: 0, buttons: 1, ...more };
  const event = type === 'wheel' ? new WheelEvent(type, options) : new PointerEvent(type, options);
  // happy-dom's wheel is no mouse: it has neither keys nor a place.
  Object.defineProperty(event, 'ctrlKey', { value: more.ctrlKey ?? false });
  Object.defineProperty(event, 'metaKey', { value: more.metaKey ?? false });
  Object.defineProperty(event, 'offsetX', { value: x * room.width });
  Object.defineProperty(event, 'offsetY', { value: y * room.width });
  return !canvas().dispatchEvent(event);
}

describe('zooming', () => {
  it('is by buttons, which say what they do and keep the focus at either end', () => {
    expect(['zoom-in', 'zoom-out', 'zoom-whole'].map((id) => find(id).getAttribute('aria-label') ?? textOf(id))).toEqual([
      'Zoom in',
      'Zoom out',
      'Whole map',
    ]);
    expect([level(), isOn('zoom-in'), isOn('zoom-out'), isOn('zoom-whole')]).toEqual(['1×', true, false, false]);
    pressButton('zoom-in');
    expect([level(), isOn('zoom-out'), isOn('zoom-whole')]).toEqual(['2×', true, true]);
    for (let times = 0; times < 5; times += 1) {
      pressButton('zoom-in');
    }
    // A quarter of a hundred blocks: a tile is never seen without its neighbours.
    expect([level(), isOn('zoom-in')]).toEqual(['25×', false]);
    expect(document.activeElement).toBe(find('zoom-in'));
    pressButton('zoom-out');
    expect(level()).toBe('13×');
    pressButton('zoom-whole');
    expect([level(), isOn('zoom-whole')]).toEqual(['1×', false]);
  });

  it('is by keys, onto the keyboard’s tile, which stays in view', () => {
    canvas().focus();
    press(canvas(), 'End', { ctrlKey: true });
    expect([press(canvas(), '+'), press(canvas(), '='), level()]).toEqual([true, true, '4×']);
    expect(shownBlocks().first).toBeGreaterThan(70);
    press(canvas(), '-');
    expect(level()).toBe('2×');
    press(canvas(), '0');
    expect(level()).toBe('1×');
  });

  it('moves what is shown with Shift and arrow keys, up to the edges', () => {
    canvas().focus();
    press(canvas(), '+');
    press(canvas(), '+');
    const before = shownBlocks();
    expect(press(canvas(), 'ArrowDown', { shiftKey: true })).toBe(true);
    expect(shownBlocks().last).toBeGreaterThan(before.last);
    for (let times = 0; times < 20; times += 1) {
      press(canvas(), 'ArrowDown', { shiftKey: true });
      press(canvas(), 'ArrowRight', { shiftKey: true });
    }
    expect(shownBlocks().last).toBeGreaterThan(90);
    expect(shownBlocks().first).toBeGreaterThan(70);
    expect(level()).toBe('4×');
  });

  it('follows the keyboard’s tile where it leaves what is shown', () => {
    canvas().focus();
    for (let times = 0; times < 5; times += 1) {
      press(canvas(), '+');
    }
    press(canvas(), 'End', { ctrlKey: true });
    expect(shownBlocks().last).toBe(100);
    expect(shownBlocks().first).toBeGreaterThan(90);
  });

  it('is by Ctrl and the wheel, at the pointer, as a pinch is on a touchpad', () => {
    expect(gesture('wheel', 0.95, 0.95, { deltaY: -40, ctrlKey: true })).toBe(true);
    expect(level()).toBe('1.5×');
    expect(shownBlocks().last).toBeGreaterThan(90);
    // A mouse's wheel counts in lines, and no turn counts more than a pinch's largest.
    gesture('wheel', 0.95, 0.95, { deltaY: -100, deltaMode: 1, ctrlKey: true });
    expect(level()).toBe('2.2×');
    gesture('wheel', 0.95, 0.95, { deltaY: 40, ctrlKey: true });
    gesture('wheel', 0.95, 0.95, { deltaY: 40, ctrlKey: true });
    expect(level()).toBe('1×');
  });

  it('leaves the wheel to the page where it moves nothing, and moves a map that is zoomed', () => {
    expect(gesture('wheel', 0.5, 0.5, { deltaY: 30 })).toBe(false);
    pressButton('zoom-in');
    const before = shownBlocks();
    expect(gesture('wheel', 0.5, 0.5, { deltaY: 30 })).toBe(true);
    expect(shownBlocks().last).toBeGreaterThan(before.last);
    gesture('wheel', 0.5, 0.5, { deltaY: 4000 });
    expect(gesture('wheel', 0.5, 0.5, { deltaY: 4000 })).toBe(false);
  });

  it('says nothing of zoom where the map is as small as it gets', () => {
    page = newPage();
    put(new TileMap(page.host, page.theme)).update(snapshotOf({ tokens: 200 }));
    expect(isShown('zoom-in')).toBe(false);
  });
});

describe('dragging', () => {
  function drag(fromX: number, fromY: number, toX: number, toY: number): void {
    gesture('pointerdown', fromX, fromY);
    gesture('pointermove', toX, toY);
  }
  const release = (x: number, y: number): void => {
    gesture('pointerup', x, y);
    gesture('click', x, y);
  };

  it('moves a map that is zoomed, and chooses no tile', () => {
    pressButton('zoom-in');
    expect(canvas().classList.contains('movable')).toBe(true);
    const before = shownBlocks();
    drag(0.9, 0.9, 0.3, 0.3);
    expect(canvas().classList.contains('dragging')).toBe(true);
    expect(shownBlocks().last).toBeGreaterThan(before.last);
    release(0.3, 0.3);
    expect(canvas().classList.contains('dragging')).toBe(false);
    expect(page.posted).toEqual([]);
  });

  it('is a click where the pointer hardly moved', () => {
    pressButton('zoom-in');
    drag(0.3, 0.9, 0.302, 0.901);
    release(0.302, 0.901);
    expect(page.posted.map(({ type }) => type)).toEqual(['select-tile']);
  });

  it('is a click where there is nothing to move', () => {
    drag(0.3, 0.9, 0.5, 0.95);
    release(0.5, 0.95);
    expect(page.posted.map(({ type }) => type)).toEqual(['select-tile']);
  });

  it('ends where the pointer was let go outside', () => {
    pressButton('zoom-in');
    const before = shownBlocks();
    gesture('pointerdown', 0.9, 0.9);
    gesture('pointermove', 0.1, 0.1, { buttons: 0 });
    expect(shownBlocks()).toEqual(before);
  });

  it('is a pinch with two fingers', () => {
    gesture('pointerdown', 0.4, 0.5);
    gesture('pointerdown', 0.6, 0.5, { pointerId: 2 });
    gesture('pointermove', 0.8, 0.5, { pointerId: 2 });
    expect(level()).toBe('2×');
    gesture('pointerup', 0.8, 0.5, { pointerId: 2 });
    gesture('pointercancel', 0.4, 0.5);
    expect(canvas().classList.contains('dragging')).toBe(false);
  });
});

describe('the order of calls', () => {
  const plan = planOf(front);
  const order = callOrder(plan);
  const sentence = (step: number): string => stepSentence(order.at(step), false);
  const slider = (): HTMLInputElement => find('play-position') as HTMLInputElement;

  it('is gone through step by step, up to its ends, each step in words', () => {
    expect([isShown('play-step'), isShown('play-position'), isShown('play-leave')]).toEqual([false, false, false]);
    pressButton('step-on');
    expect(textOf('play-step')).toBe(sentence(0));
    expect(find('play-step').getAttribute('aria-live')).toBe('polite');
    pressButton('step-on');
    expect(textOf('play-step')).toBe(sentence(1));
    pressButton('step-back');
    pressButton('step-back');
    pressButton('step-back');
    expect(textOf('play-step')).toBe(sentence(0));
    expect(slider().max).toBe(String(order.steps - 1));
    pressButton('play-leave');
    expect(isShown('play-step')).toBe(false);
    // The button that was pressed is gone: its neighbour has the focus.
    expect(document.activeElement).toBe(find('step-on'));
    pressButton('step-back');
    expect(textOf('play-step')).toBe(sentence(order.steps - 1));
  });

  it('is at the slider’s position, which reads its step out itself', () => {
    pressButton('step-on');
    slider().focus();
    slider().value = '3';
    slider().dispatchEvent(new Event('input', { bubbles: true }));
    expect(textOf('play-step')).toBe(sentence(3));
    expect(slider().getAttribute('aria-valuetext')).toBe(sentence(3));
    expect(slider().getAttribute('aria-label')).toBe('Step of the run');
    expect(find('play-step').getAttribute('aria-live')).toBe('off');
  });

  it('draws what is read at a step over the faint rest', () => {
    const drawn = (): readonly unknown[] => {
      penOf(canvas()).clear();
      pressButton('step-on');
      return penOf(canvas()).strokes.map(({ fillStyle, globalAlpha }) => [fillStyle, globalAlpha]);
    };
    pressButton('step-on');
    expect(drawn()).toContainEqual(['#030303', 0.8]);
    // What was read before is copied from the whole picture.
    expect(penOf(canvas()).of('drawImage').length).toBeGreaterThan(1);
    pressButton('play-leave');
    penOf(canvas()).clear();
    canvas().focus();
    frame();
    expect(penOf(canvas()).of('drawImage')).toHaveLength(1);
  });

  it('plays by itself to its end, can be paused, and is not read out meanwhile', () => {
    pressButton('play');
    expect(textOf('play')).toBe('Pause');
    expect(find('play-step').getAttribute('aria-live')).toBe('off');
    vi.advanceTimersByTime(playingMs(order.steps) / 2);
    const half = Number(slider().value);
    expect(half / order.steps).toBeCloseTo(0.5, 1);
    pressButton('play');
    expect(textOf('play')).toBe('Play');
    vi.advanceTimersByTime(1000);
    expect(Number(slider().value)).toBe(half);
    pressButton('play');
    vi.advanceTimersByTime(playingMs(order.steps));
    expect([textOf('play'), textOf('play-step')]).toEqual(['Play', sentence(order.steps - 1)]);
    pressButton('play');
    expect(textOf('play-step')).toBe(sentence(0));
    pressButton('play-leave');
    vi.advanceTimersByTime(playingMs(order.steps));
    expect(isShown('play-step')).toBe(false);
  });

  it('does not play for those who asked for less motion, but steps', async () => {
    document.body.classList.add('vscode-reduce-motion');
    await settle();
    expect(isShown('play')).toBe(false);
    pressButton('step-on');
    expect(textOf('play-step')).toBe(sentence(0));
    document.body.classList.remove('vscode-reduce-motion');
    await settle();
    expect(isShown('play')).toBe(true);
  });
});

describe('saving the map', () => {
  const saved = (): { readonly format: string; readonly data: Uint8Array } => {
    const [message] = page.posted.slice(-1);
    if (message.type !== 'save-picture') {
      throw new Error('Nothing was saved.');
    }
    return message;
  };

  it('hands the host a drawing, in the theme’s colours, of what is shown', () => {
    pressButton('save-svg');
    expect(saved().format).toBe('svg');
    const svg = new TextDecoder().decode(saved().data);
    expect(svg).toContain('<title id="tile-map-title">Tile map: causal, 6,400 tokens in blocks of 64</title>');
    expect(svg).toContain(`<desc id="tile-map-description">${mapSummary(planOf(front))}</desc>`);
    expect(svg).toContain('#0000f0');
    expect(svg).toContain('4,950 full: every pair is visible');
    expect(svg).not.toContain(' sampled');
    pressButton('zoom-in');
    pressButton('save-svg');
    expect(new TextDecoder().decode(saved().data)).not.toBe(svg);
  });

  it('hands the host a bitmap of the same drawing, twice as dense', async () => {
    const decoded = vi.spyOn(Image.prototype, 'decode').mockResolvedValue(undefined);
    vi.spyOn(Image.prototype, 'naturalWidth', 'get').mockReturnValue(700);
    vi.spyOn(Image.prototype, 'naturalHeight', 'get').mockReturnValue(800);
    const bitmaps: HTMLCanvasElement[] = [];
    vi.spyOn(HTMLCanvasElement.prototype, 'toBlob').mockImplementation(function (this: HTMLCanvasElement, done, type) {
      bitmaps.push(this);
      done({ type, arrayBuffer: () => Promise.resolve(new Uint8Array([1, 2, 3]).buffer) } as unknown as Blob);
    });
    pressButton('save-png');
    await settle();
    expect(decoded).toHaveBeenCalledOnce();
    expect(bitmaps.map(({ width, height }) => [width, height])).toEqual([[1400, 1600]]);
    expect(penOf(bitmaps[0]).of('drawImage')).toHaveLength(1);
    expect(saved()).toEqual({ type: 'save-picture', format: 'png', data: new Uint8Array([1, 2, 3]) });
    vi.restoreAllMocks();
  });

  it('is two buttons in a group with a name', () => {
    expect(find('save-svg').parentElement?.getAttribute('aria-label')).toBe('Save the map as a picture');
    expect([textOf('save-svg'), textOf('save-png')]).toEqual(['Save as SVG', 'Save as PNG']);
  });
});
