import { formatCount } from '../../src/core/format';
import type { Plan } from '../../src/core/plan/plan';
import type { TileKind } from '../../src/core/plan/tiles';
import { element, setText, setVisible } from '../dom';
import { t } from '../l10n';
import { kindCounts } from './wording';

/** The map's legend: the kinds that the plan has, each with its number of tiles, and the cursor's mark. */
export class Legend {
  readonly element = element('ul', { class: 'legend', 'data-testid': 'tile-legend' });
  readonly #kinds = new Map<TileKind, { readonly item: HTMLElement; readonly text: HTMLElement }>();
  readonly #cursor = element('li', {}, element('span', { class: 'swatch cursor' }), element('span', {}, t('the cursor’s block')));

  constructor() {
    for (const kind of Object.keys(kindCounts) as TileKind[]) {
      const text = element('span', { 'data-testid': `tiles-${kind}` });
      const item = element('li', {}, element('span', { class: `swatch ${kind}` }), text);
      this.#kinds.set(kind, { item, text });
      this.element.append(item);
    }
    this.element.append(this.#cursor);
  }

  /** Shows the counts of another plan. */
  show({ tilesByKind }: Plan): void {
    for (const [kind, { item, text }] of this.#kinds) {
      setVisible(item, tilesByKind[kind] > 0);
      setText(text, kindCounts[kind](formatCount(tilesByKind[kind])));
      text.dataset['value'] = String(tilesByKind[kind]);
    }
  }

  /** Explains the cursor's mark only while there is one. */
  showCursor(marked: boolean): void {
    setVisible(this.#cursor, marked);
  }
}
