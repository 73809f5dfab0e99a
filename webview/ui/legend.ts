import { element } from '../dom';

/** An entry of a legend. @param swatch class that colours its swatch */
export function legendEntry(swatch: string, text: string): HTMLElement {
  return element('li', {}, element('span', { class: `swatch ${swatch}` }), element('span', {}, text));
}
