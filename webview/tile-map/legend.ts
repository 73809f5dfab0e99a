import { formatCount } from '../../src/core/format';
import type { Plan } from '../../src/core/plan/plan';
import type { TileKind } from '../../src/core/plan/tiles';
import type { EditorPlace } from '../../src/protocol/panel';
import { element, setText, setVisible } from '../dom';
import { t } from '../l10n';
import { kindCounts } from '../map/wording';

/** The map's legend: the kinds that the plan has, each with its number of tiles, and the marks of the editor's place. */
export class Legend {
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

  /** Explains the marks of the editor's place, as far as there are any. */
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
