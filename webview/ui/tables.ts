import { element, setAttributes, type Attributes } from '../dom';
import { show, type Shown } from './shown';

/** A column of a data table. */
export interface Column {
  readonly title: string;
  /** Numbers are set to the right, in figures of one width. */
  readonly numeric?: boolean;
}

/** A cell: a value, where a test looks for it, and a badge that the style sheet puts behind the value. */
export type Cell = Shown & { readonly testId?: string; readonly badge?: string | undefined };

/** A row of cells, with attributes for the row itself. */
export interface Row {
  readonly cells: readonly Cell[];
  readonly attributes?: Attributes;
}

/**
 * A data table whose first column heads the rows. Its cells are kept and updated in place.
 *
 * Roles are spelled out because narrow pages lay rows out as cards, and `display` would drop the table's semantics.
 */
export class DataTable {
  readonly element: HTMLElement;
  readonly #columns: readonly Column[];
  readonly #body = element('tbody', { role: 'rowgroup' });

  constructor(caption: string, columns: readonly Column[], attributes: Attributes = {}) {
    this.#columns = columns;
    const heads = columns.map(({ title, numeric }) =>
      element('th', { scope: 'col', role: 'columnheader', class: numeric ? 'number' : null }, title),
    );
    this.element = element(
      'table',
      { role: 'table', ...attributes },
      element('caption', { class: 'hidden-text' }, caption),
      element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...heads)),
      this.#body,
    );
  }

  /** Shows `rows` and no others. */
  update(rows: readonly Row[]): void {
    while (this.#body.rows.length > rows.length) {
      this.#body.deleteRow(-1);
    }
    rows.forEach(({ cells, attributes = {} }, index) => {
      const row = this.#body.rows[index] ?? this.#body.appendChild(this.#blankRow());
      setAttributes(row, attributes);
      cells.forEach((cell, column) => {
        const target = row.cells[column];
        show(target, cell);
        setAttributes(target, { 'data-testid': cell.testId, 'data-badge': cell.badge });
      });
    });
  }

  #blankRow(): HTMLTableRowElement {
    const cells = this.#columns.map(({ title, numeric }, column) => {
      const attributes = { class: numeric ? 'number' : null, 'data-label': title };
      return column === 0
        ? element('th', { ...attributes, scope: 'row', role: 'rowheader' })
        : element('td', { ...attributes, role: 'cell' });
    });
    return element('tr', { role: 'row' }, ...cells);
  }
}
