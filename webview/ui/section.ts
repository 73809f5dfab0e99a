import type { PanelSnapshot } from '../../src/protocol/panel';
import { type Attributes, type Child, element } from '../dom';
import type { Folds } from '../host';

/** A part of the page: built once, then updated in place, so that focus and scrolling survive every snapshot. */
export interface View {
  readonly element: HTMLElement;
  update(snapshot: PanelSnapshot): void;
}

/** A part of the page under a heading that folds it; the page remembers whether it is folded. */
export function section(host: Folds, name: string, title: string, ...content: readonly Child[]): HTMLDetailsElement {
  return sectionOf(host, name, title, true, content);
}

/** A section that scrolls in itself, by the keyboard too, where its content would be taller than the page. */
export function tallSection(
  host: Folds,
  name: string,
  title: string,
  openAtFirst: boolean,
  ...content: readonly Child[]
): HTMLDetailsElement {
  return sectionOf(host, name, title, openAtFirst, content, {
    class: 'section-body tall',
    role: 'region',
    'aria-label': title,
    tabindex: 0,
  });
}

function sectionOf(
  host: Folds,
  name: string,
  title: string,
  openAtFirst: boolean,
  content: readonly Child[],
  attributes: Attributes = { class: 'section-body' },
): HTMLDetailsElement {
  const summary = element('summary', {}, element('h2', {}, title));
  const body = element('div', attributes, ...content);
  return foldable(host, name, openAtFirst, { class: 'section', 'data-testid': `section-${name}` }, summary, body);
}

/** The numbers behind a chart, folded by default. */
export function dataBehind(host: Folds, name: string, title: string, ...content: readonly Child[]): HTMLDetailsElement {
  const scroller = element('div', { class: 'scroller', role: 'region', 'aria-label': title, tabindex: 0 }, ...content);
  const attributes = { class: 'data-behind', 'data-testid': `data-${name}` };
  return foldable(host, `data-${name}`, false, attributes, element('summary', {}, title), scroller);
}

function foldable(
  host: Folds,
  name: string,
  openAtFirst: boolean,
  attributes: Readonly<Record<string, string>>,
  ...content: readonly Child[]
): HTMLDetailsElement {
  const details = element('details', { ...attributes, open: host.isOpen(name, openAtFirst) }, ...content);
  details.addEventListener('toggle', () => {
    if (details.open !== host.isOpen(name, openAtFirst)) {
      host.setOpen(name, details.open);
    }
  });
  return details;
}

/** A legend entry. @param swatch class that colours its swatch */
export function legendEntry(swatch: string, text: string): HTMLElement {
  return element('li', {}, element('span', { class: `swatch ${swatch}` }), element('span', {}, text));
}
