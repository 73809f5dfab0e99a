import { element } from '../dom';
import { DataTable, type Column, type Row } from './tables';

/** A data table whose columns may change: it is built anew only where they do. */
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
