import type { Progress } from '../../src/core/report/progress';
import { ledgerTitle } from '../../src/protocol/activity-title';
import type { PanelSnapshot } from '../../src/protocol/panel';
import { element, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import { section } from '../ui/section';
import { OwnTask } from '../ui/task';
import type { View } from '../ui/view';
import { LedgerTable, verdictTexts } from './ledger-table';
import { SamplingSummary } from './sampling';

/** The ledger of theorems, and the button that runs it. It is there without a prompt too. */
export class Ledger implements View {
  readonly element: HTMLDetailsElement;
  readonly #task: OwnTask;
  readonly #empty = element('p', { class: 'note', 'data-testid': 'ledger-empty' }, t('The ledger has not run yet.'));
  readonly #table = new LedgerTable();
  readonly #sampling = new SamplingSummary('ledger-sampling');
  readonly #body: HTMLElement;

  constructor(host: Host) {
    this.#task = new OwnTask(host, ledgerTitle, 'ledger', t('Run the ledger'), { type: 'run-ledger' });
    const verdicts = Object.values(verdictTexts())
      .map(({ name, meaning }) => `${name} (${meaning})`)
      .join(', ');
    const legend = element('p', { class: 'note' }, `${lettersText()} ${t('Verdicts: {0}.', verdicts)}`);
    const scroller = element(
      'div',
      { class: 'wide-scroller', role: 'region', 'aria-label': t('Ledger of theorems'), tabindex: 0 },
      this.#table.element,
    );
    this.#body = element('div', { class: 'ledger-body', 'data-testid': 'ledger' }, scroller, legend, this.#sampling.element);
    this.element = section(
      host,
      'ledger',
      t('Ledger'),
      element('p', { class: 'note' }, meaningText()),
      ...this.#task.elements,
      this.#empty,
      this.#body,
    );
  }

  update({ ledger, activity }: PanelSnapshot): void {
    this.#task.update(activity, true, this.element);
    setVisible(this.#empty, ledger === null && !this.#task.running);
    setVisible(this.#body, ledger !== null);
    if (ledger !== null) {
      this.#table.show(ledger);
      this.#sampling.show(ledger.sampling);
    }
  }

  /** An increment of the running ledger's progress. */
  showProgress(progress: Progress): void {
    this.#task.showProgress(progress);
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
