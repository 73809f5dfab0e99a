import type { Plan } from '../../src/core/plan/plan';
import type { DevicePrediction } from '../../src/core/report/prediction';
import type { EditorPlace, HostMessage, PanelSnapshot } from '../../src/protocol/panel';
import { element, setAttributes, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import type { ThemeWatcher } from '../theme';
import { section } from '../ui/section';
import type { View } from '../ui/view';
import { cellSize, type Tile } from './geometry';
import { moved, moveOfKey, nearestTile } from './navigation';
import { Reading } from './reading';
import { TileCanvas } from './tile-canvas';
import { TileTable } from './tile-table';
import { placeOfTile, revealing } from './viewport';
import { mapSummary } from './wording';
import { Zoom } from './zoom';

/** The tile map: which query block calls the small transformer on which key block, with the pointer and the keyboard. */
export class TileMap implements View {
  readonly element: HTMLElement;
  readonly #host: Host;
  readonly #canvas: TileCanvas;
  readonly #zoom: Zoom;
  readonly #reading: Reading;
  readonly #table: TileTable;
  #plan: Plan | null = null;
  #prediction: DevicePrediction | null = null;
  #drawn = '';
  #place: EditorPlace = { cursor: null, visible: null };
  #hovered: Tile | null = null;
  #selected: Tile | null = null;

  constructor(host: Host, theme: ThemeWatcher) {
    this.#host = host;
    this.#table = new TileTable(host);
    this.#reading = new Reading(host);
    this.#canvas = new TileCanvas(theme, () => this.#showView());
    this.#zoom = new Zoom(this.#canvas, () => this.#selected && placeOfTile(this.#canvas.shown, this.#selected));
    setAttributes(this.#canvas.canvas, { role: 'application', 'aria-describedby': this.#reading.help.id, 'aria-roledescription': t('tile map') });
    const axes = element('p', { class: 'axes', 'aria-hidden': 'true' }, t('query blocks ↓'), element('span', {}, t('key blocks →')));
    const map = element('div', { class: 'map' }, this.#zoom.element, axes, this.#canvas.element);
    const both = element('div', { class: 'map-and-reading' }, map, this.#reading.element);
    this.element = section(host, 'tiles', t('Tile map'), both, this.#table.element);
    this.#listen();
  }

  update({ plan, prediction, place }: PanelSnapshot): void {
    setVisible(this.element, plan !== null);
    this.#prediction = prediction;
    this.#place = place;
    if (plan !== null) {
      this.#showPlan(plan);
    }
    this.#mark();
  }

  /** The editor's cursor moved to another block, or the editor scrolled. */
  showPlace(place: EditorPlace): void {
    this.#place = place;
    this.#mark();
  }

  /** The text of a tile that was asked for. */
  showText(message: HostMessage & { readonly type: 'tile-text' }): void {
    this.#reading.showText(message);
  }

  #showPlan(plan: Plan): void {
    // Every snapshot carries a copy of the plan; what it was asked for tells whether it is another one.
    const request = JSON.stringify([plan.tokens, plan.model, plan.scenario, plan.oracle, plan.construction]);
    if (request === this.#drawn) {
      return;
    }
    this.#drawn = request;
    this.#plan = plan;
    this.#hovered = null;
    this.#selected &&= nearestTile(plan.queryBlocks, this.#selected.queryBlock, this.#selected.keyBlock);
    setAttributes(this.#canvas.canvas, { 'aria-label': mapSummary(plan) });
    this.#reading.show(plan);
    this.#canvas.show(plan);
    this.#table.show(plan);
    this.#showView();
  }

  #listen(): void {
    const { canvas } = this.#canvas;
    canvas.addEventListener('pointermove', (event) => this.#point(this.#canvas.tileUnder(event)));
    canvas.addEventListener('pointerleave', () => this.#point(null));
    canvas.addEventListener('click', (event) => {
      this.#selected = this.#canvas.tileUnder(event) ?? this.#selected;
      this.#mark();
      if (this.#canvas.tileUnder(event) !== null) {
        this.#postSelected();
      }
    });
    canvas.addEventListener('focus', () => {
      this.#selected ??= this.#plan && nearestTile(this.#plan.queryBlocks, this.#place.cursor ?? 0, 0);
      this.#mark();
    });
    canvas.addEventListener('blur', () => this.#mark());
    canvas.addEventListener('keydown', (event) => this.#press(event));
  }

  #press(event: KeyboardEvent): void {
    const move = moveOfKey(event);
    if (this.#plan === null || this.#selected === null || event.altKey) {
      return;
    }
    if (this.#zoom.press(event)) {
      event.preventDefault();
      return;
    }
    if (move !== undefined) {
      const tile = moved(this.#plan.queryBlocks, this.#selected, move);
      this.#selected = tile;
      this.#hovered = null;
      this.#canvas.look((shown, blocks) => revealing(shown, blocks, tile));
      this.#mark();
    } else if (event.key === 'Enter' || event.key === ' ') {
      this.#postSelected();
    } else {
      return;
    }
    event.preventDefault();
  }

  #point(tile: Tile | null): void {
    const same = tile?.queryBlock === this.#hovered?.queryBlock && tile?.keyBlock === this.#hovered?.keyBlock;
    if (!same) {
      this.#hovered = tile;
      this.#mark();
    }
    this.#canvas.canvas.classList.toggle('over-tile', tile !== null);
  }

  #postSelected(): void {
    if (this.#selected !== null) {
      const { queryBlock, keyBlock } = this.#selected;
      this.#host.post({ type: 'select-tile', queryBlock, keyBlock });
    }
  }

  /** Marks and describes the pointed tile, or else the keyboard's; only the keyboard's is read out. */
  #mark(): void {
    const focused = document.activeElement === this.#canvas.canvas ? this.#selected : null;
    this.#canvas.mark({ place: this.#place, hovered: this.#hovered, focused });
    this.#reading.showMarks(this.#place);
    if (this.#plan !== null) {
      this.#reading.describe(this.#plan, this.#prediction, this.#hovered ?? focused, this.#hovered === null && focused !== null);
    }
  }

  #showView(): void {
    const { layout } = this.#canvas;
    if (this.#plan !== null && layout !== null) {
      this.#zoom.show(this.#plan.blocks);
      this.#reading.showRemark(this.#plan, 1 / cellSize(layout.grid));
    }
  }
}
