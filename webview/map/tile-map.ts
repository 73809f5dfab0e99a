import type { OrderStep } from '../../src/core/plan/call-order';
import type { Plan } from '../../src/core/plan/plan';
import type { DevicePrediction } from '../../src/core/predict/prediction';
import type { EditorPlace, HostMessage, PanelSnapshot } from '../../src/protocol/panel';
import { element, setAttributes, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import type { ThemeWatcher } from '../theme';
import { section, type View } from '../ui/section';
import { cellSize } from '../../src/core/draw/map/geometry';
import { HeadChoice } from './head-choice';
import { nearestTile, TileChoice } from './tile-choice';
import { Playback } from './playback';
import { Reading } from './reading';
import { Save } from './save';
import { TileCanvas } from './tile-canvas';
import { TileTable } from './tile-table';
import { revealing } from '../../src/core/draw/map/viewport';
import { mapSummary, planKey } from './wording';
import { Zoom } from './zoom';

/** The tile map: which query block calls the small transformer on which key block, by pointer and by keyboard. */
export class TileMap implements View {
  readonly element: HTMLElement;
  readonly #heads: HeadChoice;
  readonly #canvas: TileCanvas;
  readonly #zoom: Zoom;
  readonly #choice: TileChoice;
  readonly #reading: Reading;
  readonly #playback: Playback;
  readonly #save: Save;
  readonly #table: TileTable;
  #plan: Plan | null = null;
  #prediction: DevicePrediction | null = null;
  #drawn = '';
  #step: OrderStep | null = null;
  #place: EditorPlace = { cursor: null, visible: null };

  constructor(host: Host, theme: ThemeWatcher) {
    this.#heads = new HeadChoice(() => this.#showHeads());
    this.#table = new TileTable(host);
    this.#reading = new Reading(host);
    this.#canvas = new TileCanvas(theme, () => this.#showView());
    this.#zoom = new Zoom(this.#canvas, () => this.#choice.selected);
    // After the zoom: the click that ends a drag must not reach the choice.
    this.#choice = new TileChoice(this.#canvas, {
      changed: () => this.#mark(),
      chosen: ({ queryBlock, keyBlock }) => host.post({ type: 'select-tile', queryBlock, keyBlock }),
      pressed: (event) => this.#zoom.press(event),
    });
    this.#playback = new Playback((step) => {
      this.#step = step;
      this.#mark();
    });
    setAttributes(this.#canvas.canvas, {
      role: 'application',
      'aria-describedby': this.#reading.help.id,
      'aria-roledescription': t('tile map'),
    });
    const axes = element('p', { class: 'axes', 'aria-hidden': 'true' }, t('query blocks ↓'), element('span', {}, t('key blocks →')));
    const map = element(
      'div',
      { class: 'map' },
      this.#heads.element,
      this.#zoom.element,
      axes,
      this.#canvas.element,
      this.#playback.element,
    );
    this.#save = new Save(host, this.#canvas, theme);
    const both = element(
      'div',
      { class: 'map-and-reading' },
      map,
      element('div', { class: 'map-side' }, this.#reading.element, this.#save.element),
    );
    this.element = section(host, 'tiles', t('Tile map'), both, this.#table.element);
  }

  update({ plan, prediction, place, runs }: PanelSnapshot): void {
    setVisible(this.element, plan !== null);
    this.#prediction = prediction;
    this.#place = place;
    if (plan !== null) {
      this.#showPlan(plan);
    }
    // The text may have changed even if the plan has not.
    this.#reading.refresh();
    this.#playback.showRan(runs.some(({ current }) => current));
    this.#mark();
  }

  /** The editor's cursor moved to another block, or the editor scrolled. */
  showPlace(place: EditorPlace): void {
    const { cursor } = place;
    if (cursor !== null && cursor !== this.#place.cursor && this.#plan !== null) {
      const { queryBlocks } = this.#heads.shown ?? this.#plan;
      // Stay in the column in view: a click on a tile moves the cursor, and must not move the map.
      this.#canvas.look((shown, blocks) =>
        revealing(shown, blocks, nearestTile(queryBlocks, cursor, Math.floor(shown.left + shown.span / 2))),
      );
    }
    this.#place = place;
    this.#mark();
  }

  /** Shows the text of a requested tile. */
  showText(message: HostMessage & { readonly type: 'tile-text' }): void {
    this.#reading.showText(message);
  }

  #showPlan(plan: Plan): void {
    const request = planKey(plan);
    if (request === this.#drawn) {
      return;
    }
    this.#drawn = request;
    this.#plan = plan;
    this.#heads.show(plan);
    this.#showHeads();
  }

  #showHeads(): void {
    const { shown } = this.#heads;
    if (shown !== null) {
      this.#choice.show(shown.queryBlocks);
      setAttributes(this.#canvas.canvas, { 'aria-label': mapSummary(shown) });
      this.#reading.show(shown);
      this.#canvas.show(shown);
      this.#table.show(shown);
      this.#playback.show(shown);
      this.#save.show(shown);
      this.#showView();
    }
  }

  /**
   * Marks the pointed tile and the keyboard's, and describes the pointed one, or else the one chosen last: a description that
   * followed the focus would move the button the mouse is about to press. Screen readers announce only the keyboard's.
   */
  #mark(): void {
    const { pointed, focused, selected } = this.#choice;
    this.#choice.startAt(this.#place.cursor ?? 0);
    // The cursor's lines would cover the tiles of a step.
    const place = this.#step === null ? this.#place : { ...this.#place, cursor: null };
    this.#canvas.mark({ place, pointed, focused, step: this.#step });
    this.#reading.showMarks(place);
    if (this.#plan !== null) {
      this.#reading.describe(this.#plan, this.#prediction, pointed ?? selected, pointed === null && focused !== null);
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
