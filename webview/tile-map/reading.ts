import { tileCost } from '../../src/core/hints/tile-cost';
import type { Plan } from '../../src/core/plan/plan';
import type { DevicePrediction } from '../../src/core/report/prediction';
import type { EditorPlace, HostMessage } from '../../src/protocol/panel';
import { element, freshId, setAttributes, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import type { Tile } from '../map/geometry';
import { Legend } from './legend';
import { TileTexts } from '../map/reading';
import { costSentence, idleHint, keysHelp, mapRemark, tileSentence } from '../map/wording';

/** What stands beside the map: the tile in question, the legend, and what a reader must know of the picture. */
export class Reading {
  readonly #tile = element('span');
  readonly #cost = element('span', { 'data-testid': 'tile-cost' });
  readonly #info = element('p', { class: 'tile-info', 'data-testid': 'tile-info', 'aria-live': 'off' }, this.#tile, ' ', this.#cost);
  readonly #legend = new Legend();
  readonly #remark = element('p', { class: 'note', 'data-testid': 'tile-remark' });
  readonly #texts: TileTexts;
  /** How the keyboard works, to be the map's description. */
  readonly help = element('p', { class: 'hidden-text', id: freshId('help') }, keysHelp());
  readonly element: HTMLElement;

  constructor(host: Host) {
    this.#texts = new TileTexts(host);
    const parts = [this.#info, this.#texts.element, this.#legend.element, this.#remark, this.help];
    this.element = element('div', { class: 'map-reading', role: 'group', 'aria-label': t('About the map') }, ...parts);
  }

  /** Explains the kinds of another plan. */
  show(plan: Plan): void {
    this.#legend.show(plan);
  }

  /** Describes a tile, or none; `spoken` where the keyboard chose it. */
  describe(plan: Plan, prediction: DevicePrediction | null, tile: Tile | null, spoken: boolean): void {
    setAttributes(this.#info, { 'aria-live': spoken ? 'polite' : 'off' });
    this.#info.classList.toggle('note', tile === null);
    setText(this.#tile, tile === null ? idleHint() : tileSentence(plan, tile));
    setText(this.#cost, tile === null ? '' : costSentence(tileCost(plan, tile.queryBlock, tile.keyBlock, prediction)));
    this.#texts.show(tile);
  }

  /** The prompt may have changed: reads the tile's text again. */
  refresh(): void {
    this.#texts.refresh();
  }

  /** The text of the tile that was asked for. */
  showText(message: HostMessage & { readonly type: 'tile-text' }): void {
    this.#texts.receive(message);
  }

  /** Explains the marks that there are. */
  showMarks(place: EditorPlace): void {
    this.#legend.showMarks(place);
  }

  /** @param blocksPerPixel how many blocks share a device pixel along a side; below 1 where a block has several */
  showRemark(plan: Plan, blocksPerPixel: number): void {
    const remark = mapRemark(plan, blocksPerPixel);
    setText(this.#remark, remark);
    setVisible(this.#remark, remark !== '');
  }
}
