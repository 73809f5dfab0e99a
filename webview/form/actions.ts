import { formatShare } from '../../src/core/format';
import type { Progress } from '../../src/core/report/progress';
import type { PanelSnapshot } from '../../src/protocol/panel';
import { element, setAttributes, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { button } from '../ui/toolkit';
import type { View } from '../ui/view';

/** The buttons that start and stop a run, with its progress and its failure in place. */
export class Actions implements View {
  readonly #simulate;
  readonly #compare;
  readonly #cancel;
  readonly #bar = element('progress', { max: 1, 'data-testid': 'progress' });
  readonly #share = element('span', { class: 'share', 'data-testid': 'progress-share' });
  readonly #message = element('span', { 'data-testid': 'progress-message', 'aria-live': 'polite' });
  readonly #status: HTMLElement;
  readonly #failure = element('p', { class: 'error', role: 'alert', 'data-testid': 'failure' });
  readonly element: HTMLElement;
  #running = false;

  constructor(host: Host) {
    this.#simulate = button('Simulate', 'primary', { 'data-testid': 'simulate' }, () => host.post({ type: 'simulate' }));
    const compareTitle = 'Run this prompt under every scenario';
    this.#compare = button('Compare scenarios', 'secondary', { 'data-testid': 'compare', title: compareTitle }, () =>
      host.post({ type: 'compare' }),
    );
    this.#cancel = button('Cancel', 'secondary', { 'data-testid': 'cancel' }, () => host.post({ type: 'cancel' }));
    const buttons = element('div', { class: 'buttons' }, this.#simulate, this.#compare, this.#cancel);
    const line = element('div', { class: 'progress-line' }, this.#message, this.#share);
    this.#status = element('div', { class: 'status', 'data-testid': 'status' }, this.#bar, line);
    this.element = element('section', { class: 'actions', 'aria-label': 'Run' }, buttons, this.#status, this.#failure);
  }

  update({ document, plan, formError, activity }: PanelSnapshot): void {
    const running = activity.state === 'running';
    const ready = plan !== null && formError === null && !running;
    const hadFocus = this.element.contains(window.document.activeElement);
    this.#simulate.disabled = !ready;
    this.#compare.disabled = !ready;
    setVisible(this.#simulate, document !== null);
    setVisible(this.#compare, document !== null && !running);
    setVisible(this.#cancel, running);
    setVisible(this.#status, running);
    if (running) {
      setAttributes(this.#bar, { 'aria-label': activity.title });
      this.#show(activity.title, activity.progress);
    }
    setVisible(this.#failure, activity.state === 'failed');
    setText(this.#failure, activity.state === 'failed' ? activity.message : '');
    this.#keepFocus(running, hadFocus);
    this.#running = running;
  }

  /** An increment of the running activity's progress. */
  showProgress(progress: Progress): void {
    if (this.#running) {
      this.#show(progress.message, progress);
    }
  }

  #show(title: string, progress: Progress | null): void {
    setText(this.#message, progress?.message ?? title);
    setText(this.#share, progress === null ? '' : formatShare(progress.fraction));
    setAttributes(this.#bar, { value: progress?.fraction, 'data-value': progress?.fraction });
  }

  /** The pressed button goes away when a run starts or ends: its neighbour takes the focus. */
  #keepFocus(running: boolean, hadFocus: boolean): void {
    if (hadFocus && running !== this.#running) {
      (running ? this.#cancel : this.#simulate).focus();
    }
  }
}
