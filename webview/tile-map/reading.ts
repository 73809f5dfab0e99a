import type { Plan } from '../../src/core/plan/plan';
import { element, freshId, setAttributes, setText, setVisible } from '../dom';
import { t } from '../l10n';
import type { Tile } from './geometry';
import { Legend } from './legend';
import { idleHint, keysHelp, mapRemark, tileSentence } from './wording';

/** What stands beside the map: the tile in question, the legend, and what a reader must know of the picture. */
export class Reading {
  readonly #info = element('p', { class: 'tile-info', 'data-testid': 'tile-info', 'aria-live': 'off' });
  readonly #legend = new Legend();
  readonly #remark = element('p', { class: 'note', 'data-testid': 'tile-remark' });
  /** How the keyboard works, to be the map's description. */
  readonly help = element('p', { class: 'hidden-text', id: freshId('help') }, keysHelp());
  readonly element = element('div', { class: 'map-reading', role: 'group', 'aria-label': t('About the map') }, this.#info, this.#legend.element, this.#remark, this.help);

  /** Explains the kinds of another plan. */
  show(plan: Plan): void {
    this.#legend.show(plan);
  }

  /** Describes a tile, or none; `spoken` where the keyboard chose it. */
  describe(plan: Plan | null, tile: Tile | null, spoken: boolean): void {
    setAttributes(this.#info, { 'aria-live': spoken ? 'polite' : 'off' });
    this.#info.classList.toggle('note', tile === null);
    setText(this.#info, tile !== null && plan !== null ? tileSentence(plan, tile) : idleHint());
  }

  /** Explains the marks that there are. */
  showMarks(cursor: boolean): void {
    this.#legend.showCursor(cursor);
  }

  /** @param blocksPerPixel how many blocks share a device pixel along a side; below 1 where a block has several */
  showRemark(plan: Plan, blocksPerPixel: number): void {
    const remark = mapRemark(plan, blocksPerPixel);
    setText(this.#remark, remark);
    setVisible(this.#remark, remark !== '');
  }
}
