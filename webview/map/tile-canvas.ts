import type { OrderStep } from '../../src/core/plan/call-order';
import type { Plan } from '../../src/core/plan/plan';
import { element, setAttributes } from '../dom';
import type { ThemeWatcher } from '../theme';
import { bandsOf, tileAt, type Tile } from '../../src/core/draw/map/geometry';
import { layoutOf, type MapLayout } from '../../src/core/draw/map/layout';
import { paintMarks, type Marks } from './marks';
import { paintMap, paintStep } from './paint';
import { resized, wholeMap, type Place, type Viewport } from '../../src/core/draw/map/viewport';

/** The marks in the map. */
interface ShownMarks extends Marks {
  /** The shown step of a run, or null for the whole run. */
  readonly step: OrderStep | null;
}

/**
 * The map's canvas: sized to its box and to the screen's pixels, redrawn when plan, size, theme or shown part change.
 *
 * The picture is cached without the marks, so that moving the pointer over a large map only copies pixels.
 */
export class TileCanvas {
  readonly canvas = element('canvas', { tabindex: 0, 'data-testid': 'tile-map' });
  readonly element = element('div', { class: 'tile-canvas' }, this.canvas);
  readonly #picture = document.createElement('canvas');
  readonly #theme: ThemeWatcher;
  readonly #onLayout: () => void;
  #plan: Plan | null = null;
  #layout: MapLayout | null = null;
  #marks: ShownMarks = { place: { cursor: null, visible: null }, pointed: null, focused: null, step: null };
  #shown = wholeMap(1);
  #stale = true;
  #frame = 0;

  /** @param onLayout called when the size or the shown part changed, but not after `show` */
  constructor(theme: ThemeWatcher, onLayout: () => void) {
    this.#theme = theme;
    this.#onLayout = onLayout;
    const relayout = (): void => {
      if (this.#fit()) {
        onLayout();
      }
    };
    new ResizeObserver(relayout).observe(this.element);
    window.addEventListener('resize', relayout);
    theme.onChange(() => {
      this.#layout = null;
      relayout();
    });
  }

  /** Draws another plan at the current zoom and position. */
  show(plan: Plan): void {
    this.#shown = this.#plan === null ? wholeMap(plan.blocks) : resized(this.#shown, this.#plan.blocks, plan.blocks);
    this.#plan = plan;
    this.#layout = null;
    this.#fit();
  }

  /** Shows another part of the map. @returns whether the part changed */
  look(change: (shown: Viewport, blocks: number) => Viewport): boolean {
    const { left, top, span } = this.#shown;
    const next = change(this.#shown, this.#plan?.blocks ?? 1);
    if (next.left === left && next.top === top && next.span === span) {
      return false;
    }
    this.#shown = next;
    this.#layout = null;
    this.#fit();
    this.#onLayout();
    return true;
  }

  /** The part of the map that is shown. */
  get shown(): Viewport {
    return this.#shown;
  }

  /** Draws new marks. */
  mark(marks: ShownMarks): void {
    this.#marks = marks;
    this.#draw();
  }

  /** Position and size of the grid; null before the first layout. */
  get layout(): MapLayout | null {
    return this.#layout;
  }

  /** A point of the canvas, in CSS pixels, as a place in the shown square. */
  placeOf({ offsetX, offsetY }: Pick<MouseEvent, 'offsetX' | 'offsetY'>): Place {
    if (this.#layout === null) {
      return { x: 0, y: 0 };
    }
    const { grid, left, top, ratio } = this.#layout;
    return { x: (offsetX * ratio - left) / grid.side, y: (offsetY * ratio - top) / grid.side };
  }

  /** The tile under a pointer, or null. */
  tileUnder(pointer: MouseEvent): Tile | null {
    if (this.#plan === null || this.#layout === null) {
      return null;
    }
    const { x, y } = this.placeOf(pointer);
    const { grid } = this.#layout;
    const inside = x >= 0 && y >= 0 && x < 1 && y < 1;
    return inside ? (tileAt(this.#plan.queryBlocks, grid, Math.floor(x * grid.side), Math.floor(y * grid.side)) ?? null) : null;
  }

  /** Lays the map out for the available width. @returns whether anything changed */
  #fit(): boolean {
    const width = this.element.clientWidth;
    if (this.#plan === null || width === 0) {
      return false;
    }
    const layout = layoutOf(this.#plan.blocks, this.#shown, width, this.#theme.current, window.devicePixelRatio);
    const { width: across, height, ratio } = layout;
    if (this.#layout?.width === across && this.#layout.height === height && this.#layout.ratio === ratio) {
      return false;
    }
    this.#layout = layout;
    // Setting a canvas's size clears it, even to the same size: set it only where it differs.
    for (const canvas of [this.canvas, this.#picture]) {
      setAttributes(canvas, { width: across, height });
    }
    this.canvas.style.width = `${across / ratio}px`;
    this.canvas.style.height = `${height / ratio}px`;
    this.#stale = true;
    this.#draw();
    return true;
  }

  #draw(): void {
    window.cancelAnimationFrame(this.#frame);
    this.#frame = window.requestAnimationFrame(() => this.#drawNow());
  }

  #drawNow(): void {
    const pen = this.canvas.getContext('2d');
    const picture = this.#picture.getContext('2d');
    if (this.#plan === null || this.#layout === null || pen === null || picture === null) {
      return;
    }
    const theme = this.#theme.current;
    const layout = this.#layout;
    if (this.#stale) {
      paintMap(picture, layout, bandsOf(this.#plan.queryBlocks, layout.grid), theme);
      this.#stale = false;
    }
    pen.clearRect(0, 0, layout.width, layout.height);
    pen.drawImage(this.#picture, 0, 0);
    if (this.#marks.step !== null) {
      paintStep(pen, this.#picture, layout, this.#marks.step, theme);
    }
    paintMarks(pen, layout, this.#marks, theme);
  }
}
