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

/** The result of the newest run of the prompt in one line, next to the button that started it: the lab has all of it. */
class Outcome {
  readonly element = element('button', { class: 'link one-line', type: 'button', 'data-testid': 'outcome' });

  constructor(host: Host) {
    this.element.addEventListener('click', () => host.post({ type: 'open-lab', part: 'last-run' }));
  }

  update({ runs, activity }: PanelSnapshot): void {
    const report = runs.find(({ current }) => current)?.report;
    setVisible(this.element, report !== undefined && activity.state !== 'running');
    if (report !== undefined) {
      setText(this.element, textOf(report));
      setAttributes(this.element, { 'data-verdict': report.verdict.kind, title: this.element.textContent });
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
    : t('Ran in {0}, error {1}, {2}. Show the last run', time, formatError(fidelity.maxAbsError), calls);
}

/** The buttons that start and stop a run of the prompt, with its progress and its error message. */
export class Actions implements View {
  readonly #simulate;
  readonly #lab;
  readonly #compare;
  readonly #cancel;
  readonly #progress = new RunProgress();
  readonly #outcome: Outcome;
  readonly #failure = element('p', { class: 'error', role: 'alert', 'data-testid': 'failure' });
  readonly element: HTMLElement;
  #running: string | null = null;

  constructor(host: Host) {
    this.#outcome = new Outcome(host);
    this.#simulate = button(t('Simulate'), 'primary', { 'data-testid': 'simulate' }, () => host.post({ type: 'simulate' }));
    const labTitle = t('All that is known of this prompt, beside it: pictures, tiles, costs, runs and the ledger');
    this.#lab = button(t('Open Lab'), 'secondary', { 'data-testid': 'open-lab', title: labTitle }, () =>
      host.post({ type: 'open-lab', part: null }),
    );
    const compareTitle = t('Run this prompt under every scenario');
    this.#compare = button(t('Compare'), 'secondary', { 'data-testid': 'compare', title: compareTitle }, () =>
      host.post({ type: 'compare' }),
    );
    this.#cancel = button(t('Cancel'), 'secondary', { 'data-testid': 'cancel' }, () => host.post({ type: 'cancel' }));
    const buttons = element('div', { class: 'buttons' }, this.#simulate, this.#lab, this.#compare, this.#cancel);
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
    const ready = plan !== null && formError === null && !busy;
    const hadFocus = this.element.contains(window.document.activeElement);
    this.#simulate.disabled = !ready;
    this.#compare.disabled = !ready;
    setVisible(this.#simulate, document !== null);
    setVisible(this.#compare, document !== null && !busy);
    setVisible(this.#cancel, busy);
    setVisible(this.#progress.element, busy);
    if (busy) {
      this.#progress.show(activity.title, activity.progress);
    }
    setVisible(this.#failure, activity.state === 'failed');
    setText(this.#failure, activity.state === 'failed' ? activity.message : '');
    this.#keepFocus(busy, hadFocus);
    this.#running = busy ? activity.title : null;
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
      (running ? this.#cancel : this.#simulate.hidden ? this.#lab : this.#simulate).focus();
    }
  }
}
