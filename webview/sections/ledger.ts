import type { Progress } from '../../src/core/report/progress';
import { ledgerTitle, type PanelSnapshot } from '../../src/protocol/panel';
import { element, setVisible } from '../dom';
import { RunProgress } from '../form/run-progress';
import type { Host } from '../host';
import { t } from '../l10n';
import { section } from '../ui/section';
import { button } from '../ui/toolkit';
import type { View } from '../ui/view';
import { LedgerTable, verdictTexts } from './ledger-table';
import { SamplingSummary } from './sampling';

/** The ledger of theorems, and the button that runs it. It is there without a prompt too. */
export class Ledger implements View {
  readonly element: HTMLDetailsElement;
  readonly #run;
  readonly #cancel;
  readonly #progress = new RunProgress('ledger-');
  readonly #empty = element('p', { class: 'note', 'data-testid': 'ledger-empty' }, t('The ledger has not run yet.'));
  readonly #table = new LedgerTable();
  readonly #sampling = new SamplingSummary('ledger-sampling');
  readonly #body: HTMLElement;
  #running = false;

  constructor(host: Host) {
    this.#run = button(t('Run the ledger'), 'secondary', { 'data-testid': 'ledger-run' }, () => host.post({ type: 'run-ledger' }));
    this.#cancel = button(t('Cancel'), 'secondary', { 'data-testid': 'ledger-cancel' }, () => host.post({ type: 'cancel' }));
    const verdicts = Object.values(verdictTexts()).map(({ name, meaning }) => `${name} (${meaning})`).join(', ');
    const legend = element('p', { class: 'note' }, `${lettersText()} ${t('Verdicts: {0}.', verdicts)}`);
    const scroller = element('div', { class: 'wide-scroller', role: 'region', 'aria-label': t('Ledger of theorems'), tabindex: 0 }, this.#table.element);
    this.#body = element('div', { class: 'ledger-body', 'data-testid': 'ledger' }, scroller, legend, this.#sampling.element);
    const buttons = element('div', { class: 'buttons' }, this.#run, this.#cancel);
    this.element = section(host, 'ledger', t('Ledger'), element('p', { class: 'note' }, meaningText()), buttons, this.#progress.element, this.#empty, this.#body);
  }

  update({ ledger, activity }: PanelSnapshot): void {
    const busy = activity.state === 'running';
    const running = busy && activity.title === ledgerTitle;
    const hadFocus = [this.#run, this.#cancel].some((button) => button === document.activeElement);
    this.#run.disabled = busy;
    setVisible(this.#cancel, running);
    setVisible(this.#progress.element, running);
    if (running) {
      this.#progress.show(ledgerTitle, activity.progress);
    }
    // A disabled or vanished button drops the focus: its neighbour takes it.
    if (hadFocus && running !== this.#running) {
      (running ? this.#cancel : this.#run).focus();
    }
    setVisible(this.#empty, ledger === null && !running);
    setVisible(this.#body, ledger !== null);
    if (ledger !== null) {
      this.#table.show(ledger);
      this.#sampling.show(ledger.sampling);
    }
    if (running && !this.#running) {
      // It may have been started from the palette, with another part of the page in view.
      this.element.open = true;
      this.element.scrollIntoView({ block: 'start' });
    }
    this.#running = running;
  }

  /** An increment of the running ledger's progress. */
  showProgress(progress: Progress): void {
    if (this.#running) {
      this.#progress.show(ledgerTitle, progress);
    }
  }
}

/** What the ledger is. */
function meaningText(): string {
  return t(
    'Every statement of the paper, run on a random model and needing no prompt: the calls that were counted, beside the formula that gives them, what the statement allows and what no arrangement can go below, and the error against exact float64 attention.',
  );
}

/** What the letters in formulas and parameters stand for. */
function lettersText(): string {
  return t(
    "N tokens, L layers and H heads of the large transformer; M tokens, L' layers and H' heads of the small one; window r and s sinks. T = ceil(N/(M - 1)) blocks, because a synthetic token takes one of the M rows; C = ceil(N/r) chunks, p of them a call.",
  );
}
