import { formatDuration, formatError, formatNumberOf } from '../../src/core/format';
import type { Progress } from '../../src/core/report/phases';
import type { RunReport } from '../../src/core/report/report';
import type { PanelSnapshot } from '../../src/protocol/panel';
import { element, setAttributes, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import type { View } from '../ui/section';
import { RunProgress } from '../ui/task';
import { button } from '../ui/toolkit';

/**
 * The result of the newest run of the prompt in one line, next to the button that started it: its section is far down the
 * page.
 */
class Outcome {
  readonly element = element('button', { class: 'link', type: 'button', 'data-testid': 'outcome' });

  /** @param show scrolls to the run's section */
  constructor(show: () => void) {
    this.element.addEventListener('click', show);
  }

  update({ runs, activity }: PanelSnapshot): void {
    const report = runs.find(({ current }) => current)?.report;
    setVisible(this.element, report !== undefined && activity.state !== 'running');
    if (report !== undefined) {
      setText(this.element, textOf(report));
      setAttributes(this.element, { 'data-verdict': report.verdict.kind });
    }
  }
}

function textOf({ run, fidelity, verdict }: RunReport): string {
  if (verdict.kind === 'failed') {
    return t('The run failed. Show the last run');
  }
  const [time, calls] = [formatDuration(run.wallMs), formatNumberOf(run.calls.total, 'call')];
  return fidelity === null
    ? t('Ran in {0}: {1}. Show the last run', time, calls)
    : t('Ran in {0}: {1}, max abs error {2}. Show the last run', time, calls, formatError(fidelity.maxAbsError));
}

/** The buttons that start and stop a run of the prompt, with its progress and its error message. */
export class Actions implements View {
  readonly #simulate;
  readonly #compare;
  readonly #cancel;
  readonly #progress = new RunProgress();
  readonly #outcome: Outcome;
  readonly #failure = element('p', { class: 'error', role: 'alert', 'data-testid': 'failure' });
  readonly element: HTMLElement;
  #running: string | null = null;

  /** @param showLastRun scrolls to the section of the last run */
  constructor(host: Host, showLastRun: () => void) {
    this.#outcome = new Outcome(showLastRun);
    this.#simulate = button(t('Simulate'), 'primary', { 'data-testid': 'simulate' }, () => host.post({ type: 'simulate' }));
    const compareTitle = t('Run this prompt under every scenario');
    this.#compare = button(t('Compare scenarios'), 'secondary', { 'data-testid': 'compare', title: compareTitle }, () =>
      host.post({ type: 'compare' }),
    );
    this.#cancel = button(t('Cancel'), 'secondary', { 'data-testid': 'cancel' }, () => host.post({ type: 'cancel' }));
    const buttons = element('div', { class: 'buttons' }, this.#simulate, this.#compare, this.#cancel);
    this.element = element(
      'section',
      { class: 'actions', 'aria-label': t('Run') },
      buttons,
      this.#progress.element,
      this.#outcome.element,
      this.#failure,
    );
  }

  update(snapshot: PanelSnapshot): void {
    const { document, plan, formError, activity } = snapshot;
    this.#outcome.update(snapshot);
    const busy = activity.state === 'running';
    // The ledger and evaluations show their progress in their own sections.
    const running = busy && activity.task === 'prompt';
    const ready = plan !== null && formError === null && !busy;
    const hadFocus = this.element.contains(window.document.activeElement);
    this.#simulate.disabled = !ready;
    this.#compare.disabled = !ready;
    setVisible(this.#simulate, document !== null);
    setVisible(this.#compare, document !== null && !running);
    setVisible(this.#cancel, running);
    setVisible(this.#progress.element, running);
    if (running) {
      this.#progress.show(activity.title, activity.progress);
    }
    setVisible(this.#failure, activity.state === 'failed');
    setText(this.#failure, activity.state === 'failed' ? activity.message : '');
    this.#keepFocus(running, hadFocus);
    this.#running = running ? activity.title : null;
  }

  /** Shows new progress of the running activity. */
  showProgress(progress: Progress): void {
    if (this.#running !== null) {
      this.#progress.show(this.#running, progress);
    }
  }

  /** The pressed button disappears when a run starts or ends: its neighbour takes the focus. */
  #keepFocus(running: boolean, hadFocus: boolean): void {
    if (hadFocus && running !== (this.#running !== null)) {
      (running ? this.#cancel : this.#simulate).focus();
    }
  }
}
