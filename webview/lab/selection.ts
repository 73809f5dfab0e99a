import type { Range } from '../../src/core/scenario/scenario';

/** What is selected in all pictures: tokens `[from, to)`, a layer and a head, 0-based; null for all. */
export interface Selected {
  readonly range: Range | null;
  readonly layer: number | null;
  readonly head: number | null;
}

/** The one selection that all pictures of the lab share. */
export class Selection {
  #current: Selected = { range: null, layer: null, head: null };
  readonly #listeners: ((selected: Selected) => void)[] = [];

  get current(): Selected {
    return this.#current;
  }

  /** Calls `listener` after every change. */
  onChange(listener: (selected: Selected) => void): void {
    this.#listeners.push(listener);
  }

  /** Changes a part of the selection. @returns whether anything changed */
  set(change: Partial<Selected>): boolean {
    const { range, layer, head } = this.#current;
    const next = { ...this.#current, ...change };
    if (next.range?.from === range?.from && next.range?.to === range?.to && next.layer === layer && next.head === head) {
      return false;
    }
    this.#current = next;
    this.#listeners.forEach((listener) => listener(next));
    return true;
  }
}
