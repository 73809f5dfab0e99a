import type { HostMessage } from '../../src/protocol/panel';
import { element, setText, setVisible } from '../dom';
import { debounce } from '../ui/timing';
import type { Host } from '../host';
import { t } from '../l10n';
import type { Tile } from './geometry';

/** Pause before the host is asked, in milliseconds: a pointer that crosses the map asks for nothing on its way. */
const pauseMs = 120;

/** The text that the two token ranges of a tile hold, as the host tells it. */
export class TileTexts {
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
  /** Number of the latest question; answers to earlier ones are stale. */
  #request = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Shows the texts of another tile, or of none. What is shown stays until the answer comes. */
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

  /** The prompt has changed: asks again. */
  refresh(): void {
    if (this.#tile !== null) {
      this.#request += 1;
      this.#ask.later();
    }
  }

  /** The host's answer. */
  receive({ request, queries, keys }: HostMessage & { readonly type: 'tile-text' }): void {
    if (this.#tile === null || request !== this.#request) {
      return;
    }
    setText(this.#queries, queries);
    // On the diagonal the keys are the queries' own tokens.
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
