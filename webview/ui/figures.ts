import { element, setVisible } from '../dom';
import { show, type Shown } from './shown';

/** One labelled value of a list. */
export interface FigureField {
  readonly label: string;
  /** The `data-testid` of the value. */
  readonly testId: string;
  /** What the value means, on hover. */
  readonly title?: string;
}

/** A list of labelled values, in as many columns as fit. */
export class Figures<Name extends string> {
  readonly element = element('dl', { class: 'figures' });
  readonly #values = new Map<Name, { readonly group: HTMLElement; readonly value: HTMLElement }>();

  constructor(fields: Readonly<Record<Name, FigureField>>) {
    for (const [name, { label, testId, title }] of Object.entries(fields) as [Name, FigureField][]) {
      const value = element('dd', { 'data-testid': testId });
      const group = element('div', { title }, element('dt', {}, label), value);
      this.#values.set(name, { group, value });
      this.element.append(group);
    }
  }

  /** Shows the values; one that is null is left out of the list. */
  update(values: Readonly<Record<Name, Shown | null>>): void {
    for (const [name, { group, value }] of this.#values) {
      const shown = values[name];
      setVisible(group, shown !== null);
      if (shown !== null) {
        show(value, shown);
      }
    }
  }
}
