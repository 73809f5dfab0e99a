import type { LabAtlas } from '../../src/protocol/lab';
import { element, setVisible } from '../dom';
import { t } from '../l10n';
import type { Selection } from './selection';

/** What shortcuts do beside the selection. */
interface ShortcutActions {
  readonly reveal: () => unknown;
  readonly measure: () => unknown;
}

/** The keys of the lab, wherever the focus is but in a field, and the list of them. */
export class Shortcuts {
  readonly element: HTMLElement;
  readonly #selection: Selection;
  readonly #atlas: () => LabAtlas | null;
  readonly #actions: ShortcutActions;

  /** @param atlas what is shown, whose layers and heads the keys choose from */
  constructor(selection: Selection, atlas: () => LabAtlas | null, actions: ShortcutActions) {
    this.#selection = selection;
    this.#atlas = atlas;
    this.#actions = actions;
    const keys: readonly (readonly [keys: string, does: string])[] = [
      ['[  ]', t('layer before, layer after')],
      [',  .', t('head before, head after')],
      ['a', t('all layers and heads')],
      ['← ↑ → ↓', t('in a picture: from tile to tile, head to head, or along the tokens')],
      ['Enter', t('on the map: select the tokens of the row')],
      ['e', t('show the selected tokens in the editor')],
      ['m', t('measure where attention goes')],
      ['Esc', t('clear the selection')],
      ['?', t('show or hide this list')],
    ];
    this.element = element(
      'section',
      { class: 'shortcuts', 'aria-label': t('Shortcuts'), 'data-testid': 'shortcuts', hidden: true },
      element('dl', {}, ...keys.flatMap(([key, does]) => [element('dt', {}, element('kbd', {}, key)), element('dd', {}, does)])),
    );
  }

  /** Shows or hides the list. */
  toggle(): void {
    setVisible(this.element, this.element.hidden);
  }

  /** Listens to the keys of a page. */
  listen(page: Document): void {
    page.addEventListener('keydown', (event) => {
      const { key, ctrlKey, metaKey, altKey, target } = event;
      const isTyping = target instanceof Element && target.closest('input, textarea, select, vscode-text-field, vscode-dropdown') !== null;
      const isFree = this.element.isConnected && !event.defaultPrevented;
      if (isFree && !ctrlKey && !metaKey && !altKey && !isTyping && this.#press(key)) {
        event.preventDefault();
      }
    });
  }

  /** @returns whether the key does something */
  #press(key: string): boolean {
    switch (key) {
      case '[':
      case ']':
        return this.#step('layer', key === ']' ? 1 : -1);
      case ',':
      case '.':
        return this.#step('head', key === '.' ? 1 : -1);
      case 'a':
        return this.#selection.set({ layer: null, head: null });
      case 'e':
        this.#actions.reveal();
        return true;
      case 'm':
        this.#actions.measure();
        return true;
      case 'Escape':
        return this.#selection.set({ range: null, layer: null, head: null });
      case '?':
        this.toggle();
        return true;
      default:
        return false;
    }
  }

  #step(of: 'layer' | 'head', by: number): boolean {
    const atlas = this.#atlas();
    if (atlas === null) {
      return false;
    }
    const most = Math.max(...atlas.atlas.heads.map((each) => each[of]));
    const current = this.#selection.current[of];
    const next = current === null ? (by > 0 ? 0 : most) : current + by;
    return this.#selection.set({ [of]: next < 0 || next > most ? null : next });
  }
}
