import { element, setAttributes, setText, setVisible } from '../dom';
import { t } from '../l10n';
import { button } from '../ui/toolkit';
import { formatFixed } from '../../src/core/format';
import { cellSize } from '../../src/core/draw/map/geometry';
import type { TileCanvas } from './tile-canvas';
import {
  canZoomIn,
  magnification,
  middle,
  panned,
  placeOfTile,
  revealing,
  type TilePlace,
  wholeMap,
  zoomed,
} from '../../src/core/draw/map/viewport';

/** A point of the canvas in CSS pixels. */
interface Point {
  readonly offsetX: number;
  readonly offsetY: number;
}

/** What gestures trigger. */
interface GestureActions {
  readonly zoom: (factor: number, at: Point) => void;
  /** Moves the map by CSS pixels. @returns whether it moved */
  readonly pan: (right: number, down: number) => boolean;
}

/** Pixels that a pointer may move during a click. */
const clickTolerance = 4;
/**
 * Zoom per unit of wheel movement, and the largest movement counted at once: a pinch sends many small ones, a mouse few
 * large ones.
 */
const wheelRate = 0.01;
const mostWheel = 40;
/** Pixels per line of a wheel. */
const linePixels = 16;

/** Wheel, drag and pinch on a canvas. A wheel movement that changes nothing scrolls the page. */
function listenToGestures(canvas: HTMLCanvasElement, { zoom, pan }: GestureActions): void {
  const pointers = new Map<number, Point>();
  let moved = false;

  canvas.addEventListener('wheel', (event) => {
    const scale = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? linePixels : 1;
    if (event.ctrlKey || event.metaKey) {
      zoom(Math.exp(-wheelRate * Math.min(mostWheel, Math.max(-mostWheel, event.deltaY * scale))), event);
    } else if (!pan(event.deltaX * scale, event.deltaY * scale)) {
      return;
    }
    event.preventDefault();
  });
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button === 0) {
      moved &&= pointers.size > 0;
      pointers.set(event.pointerId, pointOf(event));
    }
  });
  canvas.addEventListener('pointermove', (event) => {
    if (event.buttons === 0) {
      // The pointer was released outside the canvas.
      pointers.delete(event.pointerId);
    }
    const before = pointers.get(event.pointerId);
    const now = pointOf(event);
    if (before === undefined || (!moved && distance(before, now) < clickTolerance)) {
      return;
    }
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other !== undefined) {
      moved = true;
      zoom(distance(now, other) / Math.max(1, distance(before, other)), other);
    } else if (pan(before.offsetX - now.offsetX, before.offsetY - now.offsetY)) {
      moved = true;
      canvas.setPointerCapture(event.pointerId);
    }
    canvas.classList.toggle('dragging', moved);
    pointers.set(event.pointerId, now);
  });
  for (const end of ['pointerup', 'pointercancel'] as const) {
    canvas.addEventListener(end, ({ pointerId }) => {
      pointers.delete(pointerId);
      canvas.classList.remove('dragging');
    });
  }
  // The click that ends a drag must not choose a tile.
  canvas.addEventListener('click', (event) => moved && event.stopImmediatePropagation());
}

function pointOf({ offsetX, offsetY }: Point): Point {
  return { offsetX, offsetY };
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.offsetX - b.offsetX, a.offsetY - b.offsetY);
}

/** Zoom factor of one press, and the fraction of the shown part that one press moves by. */
const zoomStep = 2;
const panStep = 0.25;
const arrows: Readonly<Record<string, readonly [right: number, down: number]>> = {
  ArrowLeft: [-panStep, 0],
  ArrowRight: [panStep, 0],
  ArrowUp: [0, -panStep],
  ArrowDown: [0, panStep],
};

/** Zooms and moves a map by buttons, keys, wheel, drag and pinch. */
export class Zoom {
  readonly element: HTMLElement;
  readonly #canvas: TileCanvas;
  readonly #tile: () => TilePlace | null;
  readonly #level = element('output', { class: 'note', 'data-testid': 'zoom-level' });
  readonly #in = button('+', 'secondary', { 'aria-label': t('Zoom in'), title: t('Zoom in (+)'), 'data-testid': 'zoom-in' }, () =>
    this.#by(zoomStep),
  );
  readonly #out = button('−', 'secondary', { 'aria-label': t('Zoom out'), title: t('Zoom out (-)'), 'data-testid': 'zoom-out' }, () =>
    this.#by(1 / zoomStep),
  );
  readonly #whole = button(t('Whole map'), 'secondary', { title: t('Show the whole map (0)'), 'data-testid': 'zoom-whole' }, () =>
    this.#showWhole(),
  );

  /** @param tile the tile that buttons and keys zoom into, if it is shown; otherwise they zoom into the middle */
  constructor(canvas: TileCanvas, tile: () => TilePlace | null) {
    this.#canvas = canvas;
    this.#tile = tile;
    this.element = element(
      'div',
      { class: 'toolbar', role: 'group', 'aria-label': t('Zoom') },
      this.#in,
      this.#out,
      this.#whole,
      this.#level,
    );
    listenToGestures(canvas.canvas, {
      zoom: (factor, at) => canvas.look((shown, blocks) => zoomed(shown, blocks, factor, canvas.placeOf(at))),
      pan: (right, down) => this.#pan(right, down),
    });
  }

  /** Updates the zoom of a map of `blocks` blocks. */
  show(blocks: number): void {
    const { shown } = this.#canvas;
    const times = magnification(shown, blocks);
    const larger = canZoomIn(shown, blocks);
    setVisible(this.element, larger || times > 1);
    setText(this.#level, t('{0}×', times < 9.95 ? Number(formatFixed(times, 1)) : Math.round(times)));
    // Not `disabled`: the button just pressed would lose the focus.
    setAttributes(this.#in, { 'aria-disabled': larger ? false : 'true' });
    for (const each of [this.#out, this.#whole]) {
      setAttributes(each, { 'aria-disabled': times === 1 ? 'true' : false });
    }
    this.#canvas.canvas.classList.toggle('movable', times > 1);
  }

  /** Handles a key. @returns whether it did */
  press({ key, shiftKey, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
    // With Ctrl, the same keys are VS Code's own zoom.
    if (ctrlKey || metaKey || altKey) {
      return false;
    }
    if (key === '+' || key === '=') {
      this.#by(zoomStep);
    } else if (key === '-' || key === '_') {
      this.#by(1 / zoomStep);
    } else if (key === '0') {
      this.#showWhole();
    } else if (shiftKey && Object.hasOwn(arrows, key)) {
      const [right, down] = arrows[key];
      this.#canvas.look((shown, blocks) => panned(shown, blocks, right * shown.span, down * shown.span));
    } else {
      return false;
    }
    return true;
  }

  #by(factor: number): void {
    this.#canvas.look((shown, blocks) => {
      const tile = this.#tile();
      const place = tile && placeOfTile(shown, tile);
      const next = zoomed(shown, blocks, factor, place ?? middle);
      return tile !== null && place !== null ? revealing(next, blocks, tile) : next;
    });
  }

  #showWhole(): void {
    this.#canvas.look((_, blocks) => wholeMap(blocks));
  }

  #pan(right: number, down: number): boolean {
    const { layout } = this.#canvas;
    const cell = layout === null ? 1 : cellSize(layout.grid) / layout.ratio;
    return this.#canvas.look((shown, blocks) => panned(shown, blocks, right / cell, down / cell));
  }
}
