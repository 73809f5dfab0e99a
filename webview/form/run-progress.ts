import { formatShare } from '../../src/core/format';
import type { Progress } from '../../src/core/report/progress';
import { shownTitle } from '../../src/protocol/activity-title';
import { element, setAttributes, setText } from '../dom';

/** The bar of the task that runs, with what it does now and its share done. */
export class RunProgress {
  readonly #bar: HTMLProgressElement;
  readonly #share: HTMLElement;
  readonly #message: HTMLElement;
  readonly element: HTMLElement;

  /** @param prefix of the parts' `data-testid` */
  constructor(prefix = '') {
    this.#bar = element('progress', { max: 1, 'data-testid': `${prefix}progress` });
    this.#share = element('span', { class: 'share', 'data-testid': `${prefix}progress-share` });
    this.#message = element('span', { 'data-testid': `${prefix}progress-message`, 'aria-live': 'polite' });
    const line = element('div', { class: 'progress-line' }, this.#message, this.#share);
    this.element = element('div', { class: 'status', 'data-testid': `${prefix}status` }, this.#bar, line);
  }

  /** Shows how far the task called `title` is, null before it has said so. */
  show(title: string, progress: Progress | null): void {
    const name = shownTitle(title);
    setAttributes(this.#bar, { 'aria-label': name });
    setText(this.#message, progress?.message ?? name);
    setText(this.#share, progress === null ? '' : formatShare(progress.fraction));
    setAttributes(this.#bar, { value: progress?.fraction, 'data-value': progress?.fraction });
  }
}
