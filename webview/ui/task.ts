import { formatShare } from '../../src/core/format';
import type { Progress } from '../../src/core/report/phases';
import type { PageMessage, PanelSnapshot, Task } from '../../src/protocol/panel';
import { element, setAttributes, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import { button } from './toolkit';

/** The progress bar of the running task, with its current step and percentage. */
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

  /** Shows the progress of the task `title`; null before its first report. */
  show(title: string, progress: Progress | null): void {
    setAttributes(this.#bar, { 'aria-label': title });
    setText(this.#message, progress?.message ?? title);
    setText(this.#share, progress === null ? '' : formatShare(progress.fraction));
    setAttributes(this.#bar, { value: progress?.fraction, 'data-value': progress?.fraction });
  }
}

/** A task with its own section, such as the ledger: its button, cancel button and progress. */
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
   * @param task the section's task
   * @param prefix of the parts' `data-testid`
   * @param request the message that the button sends to the host
   */
  constructor(host: Host, task: Task, prefix: string, label: string, request: PageMessage) {
    this.#task = task;
    this.#run = button(label, 'secondary', { 'data-testid': `${prefix}-run` }, () => host.post(request));
    this.#cancel = button(t('Cancel'), 'secondary', { 'data-testid': `${prefix}-cancel` }, () => host.post({ type: 'cancel' }));
    this.#progress = new RunProgress(`${prefix}-`);
    this.elements = [element('div', { class: 'buttons' }, this.#run, this.#cancel), this.#progress.element];
  }

  /** Whether the task was running at the last update. */
  get running(): boolean {
    return this.#running;
  }

  /**
   * Updates the task.
   *
   * @param possible whether it could run if no other task did
   * @param section its section, which scrolls into view when the task begins
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
    // A disabled or hidden button loses the focus: its neighbour takes it.
    if (hadFocus && running !== this.#running) {
      (running ? this.#cancel : this.#run).focus();
    }
    if (running && !this.#running) {
      // The task may have been started from the command palette, while another part of the page was in view.
      section.open = true;
      section.scrollIntoView({ block: 'start' });
    }
    this.#running = running;
  }

  /** Shows new progress, if this task is running. */
  showProgress(progress: Progress): void {
    if (this.#running) {
      this.#progress.show(this.#title, progress);
    }
  }
}
