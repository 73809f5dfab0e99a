import { type Attributes, element, setAttributes, setVisible } from '../dom';
import { show, type Shown } from './shown';

/** A column of a data table. */
interface Column {
  readonly title: string;
  /** Numbers are aligned right, in figures of equal width. */
  readonly numeric?: boolean;
}

/** A cell: a value, its test id, and a badge that the style sheet puts behind the value. */
type Cell = Shown & { readonly testId?: string; readonly badge?: string | undefined };

/** A row of cells, with attributes for the row itself. */
export interface Row {
  readonly cells: readonly Cell[];
  readonly attributes?: Attributes;
}

/**
 * A data table whose first column is the row header. Its cells are kept and updated in place.
 *
 * Roles are explicit because narrow pages lay rows out as cards, and `display` would drop the table's semantics.
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

  /** Shows exactly `rows`. */
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

/** A data table whose columns may change: it is rebuilt only when they do. */
export class FreeTable {
  readonly element = element('div');
  readonly #caption: string;
  readonly #testId: string;
  #built: { readonly key: string; readonly table: DataTable } | null = null;

  constructor(caption: string, testId: string) {
    this.#caption = caption;
    this.#testId = testId;
  }

  /** Shows `rows` under `columns`. */
  update(columns: readonly Column[], rows: readonly Row[]): void {
    const key = JSON.stringify(columns);
    if (this.#built?.key !== key) {
      this.#built = { key, table: new DataTable(this.#caption, columns, { 'data-testid': this.#testId }) };
      this.element.replaceChildren(this.#built.table.element);
    }
    this.#built.table.update(rows);
  }
}

/** One labelled value in a list. */
interface FigureField {
  readonly label: string;
  /** The `data-testid` of the value. */
  readonly testId: string;
  /** What the value means; shown on hover. */
  readonly title?: string;
}

/** A list of labelled values in as many columns as fit. */
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

  /** Shows the values; a null value is left out of the list. */
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
