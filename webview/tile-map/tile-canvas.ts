import type { Plan } from '../../src/core/plan/plan';
import { element, setAttributes } from '../dom';
import type { ThemeWatcher } from '../theme';
import { bandsOf, tileAt, type Tile } from './geometry';
import { layoutOf, type MapLayout } from './layout';
import { paintCursor, paintMap, paintOutline } from './paint';

/** What is marked in the map. */
export interface Marks {
  /** 0-based block of the editor's cursor. */
  readonly cursor: number | null;
  readonly hovered: Tile | null;
  /** The keyboard's tile, while the map has the focus. */
  readonly focused: Tile | null;
}

/**
 * The map's canvas: sized to its box and to the screen's pixels, drawn again when plan, size or theme change.
 *
 * The picture is kept apart from the marks, so that moving over a large map only copies pixels.
 */
export class TileCanvas {
  readonly canvas = element('canvas', { tabindex: 0, 'data-testid': 'tile-map' });
  readonly element = element('div', { class: 'tile-canvas' }, this.canvas);
  readonly #picture = document.createElement('canvas');
  readonly #theme: ThemeWatcher;
  #plan: Plan | null = null;
  #layout: MapLayout | null = null;
  #marks: Marks = { cursor: null, hovered: null, focused: null };
  #stale = true;
  #frame = 0;

  constructor(theme: ThemeWatcher, onLayout: (layout: MapLayout) => void) {
    this.#theme = theme;
    const relayout = (): void => {
      if (this.#fit() && this.#layout !== null) {
        onLayout(this.#layout);
      }
    };
    new ResizeObserver(relayout).observe(this.element);
    window.addEventListener('resize', relayout);
    theme.onChange(() => {
      this.#layout = null;
      relayout();
    });
  }

  /** Draws another plan. */
  show(plan: Plan): void {
    this.#plan = plan;
    this.#layout = null;
    this.#fit();
  }

  /** Draws other marks. */
  mark(marks: Marks): void {
    this.#marks = marks;
    this.#draw();
  }

  /** Side of the grid in device pixels, 0 before it has been laid out. */
  get side(): number {
    return this.#layout?.grid.side ?? 0;
  }

  /** The tile under a pointer, or null. */
  tileUnder({ offsetX, offsetY }: MouseEvent): Tile | null {
    if (this.#plan === null || this.#layout === null) {
      return null;
    }
    const { grid, left, top, ratio } = this.#layout;
    const x = Math.floor(offsetX * ratio) - left;
    const y = Math.floor(offsetY * ratio) - top;
    const inside = x >= 0 && y >= 0 && x < grid.side && y < grid.side;
    return inside ? (tileAt(this.#plan.queryBlocks, grid, x, y) ?? null) : null;
  }

  /** Lays the map out for the room there is. @returns whether anything changed */
  #fit(): boolean {
    const width = this.element.clientWidth;
    if (this.#plan === null || width === 0) {
      return false;
    }
    const layout = layoutOf(this.#plan.blocks, width, this.#theme.current, window.devicePixelRatio);
    const { width: across, height, ratio } = layout;
    if (this.#layout?.width === across && this.#layout.height === height && this.#layout.ratio === ratio) {
      return false;
    }
    this.#layout = layout;
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
    const { cursor, hovered, focused } = this.#marks;
    pen.clearRect(0, 0, layout.width, layout.height);
    pen.drawImage(this.#picture, 0, 0);
    if (cursor !== null && cursor < this.#plan.blocks) {
      paintCursor(pen, layout, cursor, theme);
    }
    if (focused !== null) {
      paintOutline(pen, layout, focused, theme.focus, theme.background);
    }
    if (hovered !== null) {
      paintOutline(pen, layout, hovered, theme.foreground, theme.background);
    }
  }
}
