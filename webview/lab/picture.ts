import { type Attributes, element, setAttributes } from '../dom';
import type { Theme, ThemeWatcher } from '../theme';

/** The room of a picture, in CSS pixels. */
export interface Room {
  readonly width: number;
  readonly height: number;
}

/** What a picture draws; both in CSS pixels. */
export interface Painter {
  /** The height for a width. */
  readonly heightFor: (width: number) => number;
  /** Everything but the selection. */
  readonly paint: (pen: CanvasRenderingContext2D, room: Room, theme: Theme) => void;
  /** The selection and the pointer, over what was painted. */
  readonly mark: (pen: CanvasRenderingContext2D, room: Room, theme: Theme) => void;
}

/**
 * A picture on a canvas that is as wide as its box. What is painted is kept, so a selection that moves over a large picture only copies
 * pixels and draws itself: at most once a frame.
 */
export class Picture {
  readonly canvas: HTMLCanvasElement;
  readonly element: HTMLElement;
  readonly #kept = document.createElement('canvas');
  readonly #theme: ThemeWatcher;
  readonly #painter: Painter;
  #room: Room = { width: 0, height: 0 };
  #ratio = 1;
  #stale = true;
  #frame = 0;

  constructor(theme: ThemeWatcher, painter: Painter, attributes: Attributes) {
    this.#theme = theme;
    this.#painter = painter;
    this.canvas = element('canvas', { role: 'img', tabindex: 0, ...attributes });
    this.element = element('div', { class: 'picture' }, this.canvas);
    new ResizeObserver(() => this.#fit()).observe(this.element);
    theme.onChange(() => this.repaint());
  }

  /** Its size in CSS pixels. */
  get room(): Room {
    return this.#room;
  }

  /** Paints everything again: the data, the size or the theme changed. */
  repaint(): void {
    this.#stale = true;
    if (!this.#fit()) {
      this.redraw();
    }
  }

  /** Draws the selection again. */
  redraw(): void {
    window.cancelAnimationFrame(this.#frame);
    this.#frame = window.requestAnimationFrame(() => this.#draw());
  }

  /** @returns whether the size changed, so that everything is painted again */
  #fit(): boolean {
    const width = this.element.clientWidth;
    const height = width === 0 ? 0 : Math.round(this.#painter.heightFor(width));
    const ratio = window.devicePixelRatio;
    if (width === 0 || (this.#room.width === width && this.#room.height === height && this.#ratio === ratio)) {
      return false;
    }
    this.#room = { width, height };
    this.#ratio = ratio;
    // Setting a canvas's size clears it, even to the same size.
    for (const canvas of [this.canvas, this.#kept]) {
      setAttributes(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    }
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.#stale = true;
    this.redraw();
    return true;
  }

  #draw(): void {
    const [pen, kept] = [this.canvas.getContext('2d'), this.#kept.getContext('2d')];
    if (pen === null || kept === null || this.#room.width === 0) {
      return;
    }
    const theme = this.#theme.current;
    if (this.#stale) {
      kept.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
      kept.clearRect(0, 0, this.#room.width, this.#room.height);
      this.#painter.paint(kept, this.#room, theme);
      this.#stale = false;
    }
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    pen.drawImage(this.#kept, 0, 0);
    pen.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    this.#painter.mark(pen, this.#room, theme);
  }
}

/** The font of a picture's words. @param scale of the editor's size */
export function fontOf({ fontFamily, fontSize }: Theme, scale = 0.85): string {
  return `${Math.max(10, Math.round(scale * fontSize))}px ${fontFamily}`;
}

/** Follows a pointer that is dragged over an element: where it began and where it is, in CSS pixels. A click drags no distance. */
export function onDrag(
  target: HTMLElement,
  dragged: (from: PointerPlace, to: PointerPlace, ended: boolean, event: PointerEvent) => void,
): void {
  let start: PointerPlace | null = null;
  const placeOf = (event: PointerEvent): PointerPlace => {
    const { left, top } = target.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  target.addEventListener('pointerdown', (event) => {
    if (event.button === 0) {
      start = placeOf(event);
      target.setPointerCapture(event.pointerId);
    }
  });
  const move = (event: PointerEvent, ended: boolean): void => {
    if (start !== null) {
      dragged(start, placeOf(event), ended, event);
      start = ended ? null : start;
    }
  };
  target.addEventListener('pointermove', (event) => move(event, false));
  target.addEventListener('pointerup', (event) => move(event, true));
  target.addEventListener('pointercancel', () => (start = null));
}

/** A place on a picture, in CSS pixels. */
export interface PointerPlace {
  readonly x: number;
  readonly y: number;
}
