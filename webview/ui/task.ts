import { formatShare } from '../../src/core/format';
import type { Progress } from '../../src/core/report/phases';
import type { PageMessage, PanelSnapshot, Task } from '../../src/protocol/panel';
import { element, setAttributes, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import { button } from './toolkit';

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
    setAttributes(this.#bar, { 'aria-label': title });
    setText(this.#message, progress?.message ?? title);
    setText(this.#share, progress === null ? '' : formatShare(progress.fraction));
    setAttributes(this.#bar, { value: progress?.fraction, 'data-value': progress?.fraction });
  }
}

/** A task that a section runs by itself, as the ledger: its button, its cancel and its progress. */
export class OwnTask {
  readonly #run;
  readonly #cancel;
  readonly #progress: RunProgress;
  readonly #task: Task;
  #title = '';
  /** The buttons, and the progress below them. */
  readonly elements: readonly HTMLElement[];
  #running = false;

  /**
   * @param task that the section runs
   * @param prefix of the parts' `data-testid`
   * @param request what the button asks the host for
   */
  constructor(host: Host, task: Task, prefix: string, label: string, request: PageMessage) {
    this.#task = task;
    this.#run = button(label, 'secondary', { 'data-testid': `${prefix}-run` }, () => host.post(request));
    this.#cancel = button(t('Cancel'), 'secondary', { 'data-testid': `${prefix}-cancel` }, () => host.post({ type: 'cancel' }));
    this.#progress = new RunProgress(`${prefix}-`);
    this.elements = [element('div', { class: 'buttons' }, this.#run, this.#cancel), this.#progress.element];
  }

  /** Whether it runs, as of the last update. */
  get running(): boolean {
    return this.#running;
  }

  /**
   * Shows the task as it is now.
   *
   * @param possible whether it could run, if nothing else does
   * @param section where it is: it comes into view when the task begins
   */
  update(activity: PanelSnapshot['activity'], possible: boolean, section: HTMLDetailsElement): void {
    const busy = activity.state === 'running';
    const running = busy && activity.task === this.#task;
    const hadFocus = [this.#run, this.#cancel].some((each) => each === document.activeElement);
    this.#run.disabled = busy || !possible;
    setVisible(this.#cancel, running);
    setVisible(this.#progress.element, running);
    if (running) {
      this.#title = activity.title;
      this.#progress.show(this.#title, activity.progress);
    }
    // A disabled or vanished button drops the focus: its neighbour takes it.
    if (hadFocus && running !== this.#running) {
      (running ? this.#cancel : this.#run).focus();
    }
    if (running && !this.#running) {
      // It may have been started from the palette, with another part of the page in view.
      section.open = true;
      section.scrollIntoView({ block: 'start' });
    }
    this.#running = running;
  }

  /** An increment of the progress, where this is the task that runs. */
  showProgress(progress: Progress): void {
    if (this.#running) {
      this.#progress.show(this.#title, progress);
    }
  }
}
