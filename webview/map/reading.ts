import { formatCount } from '../../src/core/format';
import { tileCost } from '../../src/core/hints/tile-cost';
import type { Plan } from '../../src/core/plan/plan';
import type { TileKind } from '../../src/core/plan/tiles';
import type { DevicePrediction } from '../../src/core/predict/prediction';
import type { EditorPlace, HostMessage } from '../../src/protocol/panel';
import { element, freshId, setAttributes, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import { debounce } from '../ui/timing';
import type { Tile } from '../../src/core/draw/map/geometry';
import { costSentence, idleHint, keysHelp, kindCounts, mapRemark, tileSentence } from './wording';

/** The map's legend: the kinds in the plan with their number of tiles, and the marks for the editor's position. */
class Legend {
  readonly element = element('ul', { class: 'legend', 'data-testid': 'tile-legend' });
  readonly #kinds = new Map<TileKind, { readonly item: HTMLElement; readonly text: HTMLElement }>();
  readonly #cursor = element('li', {}, element('span', { class: 'swatch cursor' }), element('span', {}, t('the cursor’s block')));
  readonly #visible = element('li', {}, element('span', { class: 'swatch visible' }), element('span', { 'data-testid': 'visible-blocks' }));

  constructor() {
    for (const kind of Object.keys(kindCounts) as TileKind[]) {
      const text = element('span', { 'data-testid': `tiles-${kind}` });
      const item = element('li', {}, element('span', { class: `swatch ${kind}` }), text);
      this.#kinds.set(kind, { item, text });
      this.element.append(item);
    }
    this.element.append(this.#cursor, this.#visible);
  }

  /** Shows the counts of another plan. */
  show({ tilesByKind }: Plan): void {
    for (const [kind, { item, text }] of this.#kinds) {
      setVisible(item, tilesByKind[kind] > 0);
      setText(text, kindCounts[kind](formatCount(tilesByKind[kind])));
      text.dataset['value'] = String(tilesByKind[kind]);
    }
  }

  /** Explains the marks for the editor's position that are shown. */
  showMarks({ cursor, visible }: EditorPlace): void {
    setVisible(this.#cursor, cursor !== null);
    setVisible(this.#visible, visible !== null);
    if (visible !== null) {
      const [first, last] = [formatCount(visible.from + 1), formatCount(visible.to)];
      const text = visible.to - visible.from === 1 ? t('in the editor: block {0}', first) : t('in the editor: blocks {0}–{1}', first, last);
      setText(this.#visible.children[1], text);
    }
  }
}

/** Pause before asking the host, in milliseconds: a pointer that only crosses the map requests nothing. */
const pauseMs = 120;

/** The text of a tile's two token ranges, as sent by the host. */
class TileTexts {
  readonly #queries = element('dd', { 'data-testid': 'tile-queries', translate: 'no' });
  readonly #keys = element('dd', { 'data-testid': 'tile-keys', translate: 'no' });
  readonly #keysGroup = element('div', {}, element('dt', {}, t('Text of the keys')), this.#keys);
  readonly element = element(
    'dl',
    { class: 'tile-texts', hidden: true },
    element('div', {}, element('dt', {}, t('Text of the queries')), this.#queries),
    this.#keysGroup,
  );
  readonly #host: Host;
  readonly #ask = debounce(() => this.#askNow(), pauseMs);
  #tile: Tile | null = null;
  /** Number of the latest request; answers to earlier ones are stale. */
  #request = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Shows the texts of another tile, or of none. The current texts stay until the answer arrives. */
  show(tile: Tile | null): void {
    if (tile?.queryBlock === this.#tile?.queryBlock && tile?.keyBlock === this.#tile?.keyBlock) {
      return;
    }
    this.#tile = tile;
    this.#request += 1;
    if (tile === null) {
      setVisible(this.element, false);
    } else {
      this.#ask.later();
    }
  }

  /** Asks again, because the prompt has changed. */
  refresh(): void {
    if (this.#tile !== null) {
      this.#request += 1;
      this.#ask.later();
    }
  }

  /** Shows the host's answer. */
  receive({ request, queries, keys }: HostMessage & { readonly type: 'tile-text' }): void {
    if (this.#tile === null || request !== this.#request) {
      return;
    }
    setText(this.#queries, queries);
    // A tile on the diagonal has the same tokens as queries and keys.
    setVisible(this.#keysGroup, keys !== null && this.#tile.keyBlock !== this.#tile.queryBlock);
    setText(this.#keys, keys ?? '');
    setVisible(this.element, true);
  }

  #askNow(): void {
    if (this.#tile !== null) {
      const { queryBlock, keyBlock } = this.#tile;
      this.#host.post({ type: 'read-tile', request: this.#request, queryBlock, keyBlock });
    }
  }
}

/** The text beside the map: the current tile, the legend, and remarks on the drawing. */
export class Reading {
  readonly #tile = element('span');
  readonly #cost = element('span', { 'data-testid': 'tile-cost' });
  readonly #info = element('p', { class: 'tile-info', 'data-testid': 'tile-info', 'aria-live': 'off' }, this.#tile, ' ', this.#cost);
  readonly #legend = new Legend();
  readonly #remark = element('p', { class: 'note', 'data-testid': 'tile-remark' });
  readonly #texts: TileTexts;
  /** Keyboard help: the map's accessible description. */
  readonly help = element('p', { class: 'hidden-text', id: freshId('help') }, keysHelp());
  readonly element: HTMLElement;

  constructor(host: Host) {
    this.#texts = new TileTexts(host);
    const parts = [this.#info, this.#texts.element, this.#legend.element, this.#remark, this.help];
    this.element = element('div', { class: 'map-reading', role: 'group', 'aria-label': t('About the map') }, ...parts);
  }

  /** Shows the legend of another plan. */
  show(plan: Plan): void {
    this.#legend.show(plan);
  }

  /** Describes a tile, or none. @param spoken whether screen readers announce it: the keyboard chose it */
  describe(plan: Plan, prediction: DevicePrediction | null, tile: Tile | null, spoken: boolean): void {
    setAttributes(this.#info, { 'aria-live': spoken ? 'polite' : 'off' });
    this.#info.classList.toggle('note', tile === null);
    setText(this.#tile, tile === null ? idleHint() : tileSentence(plan, tile));
    setText(this.#cost, tile === null ? '' : costSentence(tileCost(plan, tile.queryBlock, tile.keyBlock, prediction)));
    this.#texts.show(tile);
  }

  /** Reads the tile's text again: the prompt may have changed. */
  refresh(): void {
    this.#texts.refresh();
  }

  /** Shows the tile's text from the host. */
  showText(message: HostMessage & { readonly type: 'tile-text' }): void {
    this.#texts.receive(message);
  }

  /** Explains the marks that are shown. */
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
