import type { Plan } from '../../src/core/plan/plan';
import type { PanelSnapshot } from '../../src/protocol/panel';
import { element, freshId, setAttributes, setText, setVisible } from '../dom';
import type { Host } from '../host';
import type { ThemeWatcher } from '../theme';
import { section } from '../ui/section';
import type { View } from '../ui/view';
import type { Tile } from './geometry';
import { Legend } from './legend';
import { moved, moveOfKey, nearestTile } from './navigation';
import { TileCanvas } from './tile-canvas';
import { TileTable } from './tile-table';
import { mapRemark, mapSummary, tileSentence } from './wording';

const idleHint = 'Point at a tile, or focus the map and use the arrow keys. Click or Enter selects its text.';
const keysHelp =
  'Arrow keys move over the tiles, Home and End go to the row’s first and last tile, Page Up and Page Down move by a tenth ' +
  'of the rows, Enter selects the tile’s tokens in the editor.';

/** The tile map: which query block calls the small transformer on which key block, with the pointer and the keyboard. */
export class TileMap implements View {
  readonly element: HTMLElement;
  readonly #host: Host;
  readonly #canvas: TileCanvas;
  readonly #legend = new Legend();
  readonly #info = element('p', { class: 'tile-info', 'data-testid': 'tile-info', 'aria-live': 'off' });
  readonly #remark = element('p', { class: 'note', 'data-testid': 'tile-remark' });
  readonly #table: TileTable;
  #plan: Plan | null = null;
  #drawn = '';
  #cursor: number | null = null;
  #hovered: Tile | null = null;
  #selected: Tile | null = null;

  constructor(host: Host, theme: ThemeWatcher) {
    this.#host = host;
    this.#table = new TileTable(host);
    this.#canvas = new TileCanvas(theme, ({ grid }) => this.#showRemark(grid.side));
    const help = element('p', { class: 'hidden-text', id: freshId('help') }, keysHelp);
    setAttributes(this.#canvas.canvas, { role: 'application', 'aria-describedby': help.id, 'aria-roledescription': 'tile map' });
    const axes = element('p', { class: 'axes', 'aria-hidden': 'true' }, 'query blocks ↓', element('span', {}, 'key blocks →'));
    const map = element('div', { class: 'map' }, axes, this.#canvas.element);
    const reading = element('div', { class: 'map-reading' }, this.#info, this.#legend.element, this.#remark, help);
    const both = element('div', { class: 'map-and-reading' }, map, reading);
    this.element = section(host, 'tiles', 'Tile map', both, this.#table.element);
    this.#listen();
  }

  update({ plan, cursorBlock }: PanelSnapshot): void {
    setVisible(this.element, plan !== null);
    this.#cursor = cursorBlock;
    if (plan !== null) {
      this.#showPlan(plan);
    }
    this.#mark();
  }

  /** The editor's cursor moved to another block. */
  showCursor(block: number | null): void {
    this.#cursor = block;
    this.#mark();
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
    this.#legend.show(plan);
    this.#canvas.show(plan);
    this.#table.show(plan);
    this.#showRemark(this.#canvas.side);
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
      this.#selected ??= this.#plan && nearestTile(this.#plan.queryBlocks, this.#cursor ?? 0, 0);
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
    if (move !== undefined) {
      this.#selected = moved(this.#plan.queryBlocks, this.#selected, move);
      this.#hovered = null;
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
    this.#canvas.mark({ cursor: this.#cursor, hovered: this.#hovered, focused });
    this.#legend.showCursor(this.#cursor !== null);
    const tile = this.#hovered ?? focused;
    setAttributes(this.#info, { 'aria-live': this.#hovered === null && focused !== null ? 'polite' : 'off' });
    this.#info.classList.toggle('note', tile === null);
    setText(this.#info, tile !== null && this.#plan !== null ? tileSentence(this.#plan, tile) : idleHint);
  }

  #showRemark(side: number): void {
    const remark = this.#plan === null || side === 0 ? '' : mapRemark(this.#plan, side);
    setText(this.#remark, remark);
    setVisible(this.#remark, remark !== '');
  }
}
