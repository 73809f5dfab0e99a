import {
  formatBytes,
  formatCount,
  formatDuration,
  formatError,
  formatFigure,
  formatFlops,
  formatShare,
} from '../../src/core/format';
import { setAttributes, setText } from '../dom';

/** A value as the page shows it, beside the raw number that tests compare with the command line's JSON. */
export interface Shown {
  readonly text: string;
  readonly value?: number | undefined;
  readonly title?: string | undefined;
}

export const words = (text: string, title?: string): Shown => ({ text, title });
export const count = (value: number): Shown => ({ text: formatCount(value), value });
export const duration = (value: number): Shown => ({ text: formatDuration(value), value });
export const bytes = (value: number): Shown => ({ text: formatBytes(value), value });
export const flops = (value: number): Shown => ({ text: formatFlops(value), value });
export const share = (value: number): Shown => ({ text: formatShare(value), value });
export const errorSize = (value: number): Shown => ({ text: formatError(value), value });
export const figure = (value: number): Shown => ({ text: formatFigure(value), value });

/** What stands where there is no value. */
export const nothing: Shown = { text: '–' };

/** Puts a value into an element, the raw number into its `data-value`. */
export function show(target: HTMLElement, { text, value, title }: Shown): void {
  setText(target, text);
  setAttributes(target, { 'data-value': value, title });
}
