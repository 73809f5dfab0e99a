import type { PanelSnapshot } from '../../src/protocol/panel';

/** A part of the page: built once, then updated in place, so that focus and scrolling survive every snapshot. */
export interface View {
  readonly element: HTMLElement;
  update(snapshot: PanelSnapshot): void;
}
