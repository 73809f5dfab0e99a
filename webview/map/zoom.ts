import { element, setAttributes, setText, setVisible } from '../dom';
import { t } from '../l10n';
import { button } from '../ui/toolkit';
import { cellSize } from './geometry';
import { listenToGestures } from '../tile-map/gestures';
import type { TileCanvas } from './tile-canvas';
import { canZoomIn, magnification, middle, panned, placeOfTile, revealing, wholeMap, zoomed, type TilePlace } from './viewport';

/** How much larger one press shows the map, and the part of what is shown that one press moves. */
const zoomStep = 2;
const panStep = 0.25;
const arrows: Readonly<Record<string, readonly [right: number, down: number]>> = {
  ArrowLeft: [-panStep, 0],
  ArrowRight: [panStep, 0],
  ArrowUp: [0, -panStep],
  ArrowDown: [0, panStep],
};

/** Zooms and moves a map: by buttons, keys, wheel, drag and pinch. */
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

  /** @param tile the tile that buttons and keys zoom into where it is shown; else it is the middle */
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

  /** Says how large a map of `blocks` blocks is shown. */
  show(blocks: number): void {
    const { shown } = this.#canvas;
    const times = magnification(shown, blocks);
    const larger = canZoomIn(shown, blocks);
    setVisible(this.element, larger || times > 1);
    setText(this.#level, t('{0}×', times < 9.95 ? Number(times.toFixed(1)) : Math.round(times)));
    // Not `disabled`: the button that was pressed last would lose the focus.
    setAttributes(this.#in, { 'aria-disabled': larger ? false : 'true' });
    for (const each of [this.#out, this.#whole]) {
      setAttributes(each, { 'aria-disabled': times === 1 ? 'true' : false });
    }
    this.#canvas.canvas.classList.toggle('movable', times > 1);
  }

  /** Does what a key asks for. @returns whether it asks for anything */
  press({ key, shiftKey, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
    // VS Code's own zoom has the same keys with Ctrl.
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
