import { expectedDuration } from '../../src/core/hints/expected';
import type { TimeInterval } from '../../src/core/predict/interval';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatError,
  formatFigure,
  formatFlops,
  formatLogCount,
  formatLogFigure,
  formatShare,
} from '../../src/core/format';
import { element, setAttributes, setText } from '../dom';

/** A value as the page shows it, with the raw number, which tests compare with the command line's JSON. */
export interface Shown {
  readonly text: string;
  readonly value?: number | undefined;
  readonly title?: string | undefined;
  /** A line in small type below the value, such as its formula. */
  readonly detail?: string | undefined;
}

export const words = (text: string, title?: string): Shown => ({ text, title });
export const count = (value: number): Shown => ({ text: formatCount(value), value });
export const duration = (value: number): Shown => ({ text: formatDuration(value), value });
/** An expected time with its interval. */
export const estimate = (value: number, interval: TimeInterval | undefined): Shown => ({
  text: expectedDuration({ wallMs: value, ...(interval && { interval }) }),
  value,
});
export const bytes = (value: number): Shown => ({ text: formatBytes(value), value });
export const flops = (value: number): Shown => ({ text: formatFlops(value), value });
export const share = (value: number): Shown => ({ text: formatShare(value), value });
export const errorSize = (value: number): Shown => ({ text: formatError(value), value });
export const figure = (value: number): Shown => ({ text: formatFigure(value), value });
/** e^`value` as a count; tests see `value` itself. */
export const logCount = (value: number): Shown => ({ text: formatLogCount(value), value });
/** The range of some values, the least first. */
const range = (values: readonly number[], format: (value: number) => string): Shown => {
  const [least, most] = [format(Math.min(...values)), format(Math.max(...values))];
  return words(least === most ? least : `${least} – ${most}`);
};
export const figureRange = (values: readonly number[]): Shown => range(values, formatFigure);
/** The range of e^`values`. */
export const logFigureRange = (values: readonly number[]): Shown => range(values, formatLogFigure);

/** Shown where there is no value. */
export const nothing: Shown = { text: '–' };

/** Puts a value into an element, the raw number into its `data-value`. */
export function show(target: HTMLElement, { text, value, title, detail }: Shown): void {
  if (detail === undefined) {
    setText(target, text);
  } else if (target.textContent !== `${text} ${detail}`) {
    target.replaceChildren(`${text} `, element('small', {}, detail));
  }
  setAttributes(target, { 'data-value': value, title });
}
