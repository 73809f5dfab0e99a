import { formatCount, formatNumberOf } from '../../src/core/format';
import type { LedgerReport, LedgerRow } from '../../src/core/ledger/report';
import type { Progress } from '../../src/core/report/phases';
import { verdictName } from '../../src/core/report/verdict';
import { scenarioTitle } from '../../src/core/scenario/scenario';
import type { PanelSnapshot } from '../../src/protocol/panel';
import { element, setVisible } from '../dom';
import type { Host } from '../host';
import { messageShown, t } from '../l10n';
import { tallSection, type View } from '../ui/section';
import { count, errorSize, figure, nothing, words } from '../ui/shown';
import { DataTable, type Row } from '../ui/tables';
import { OwnTask } from '../ui/task';
import { verdictMeaning, VerdictLine } from '../ui/verdict';
import { SamplingSummary } from './sampling';

/** The paper's statements, one per row. */
class LedgerTable {
  readonly #table = new DataTable(
    t('Ledger of theorems'),
    [
      { title: t('Statement') },
      { title: t('Construction') },
      { title: t('Scenario') },
      { title: t('Parameters') },
      { title: t('Calls counted'), numeric: true },
      { title: t('Calls times M/N'), numeric: true },
      { title: t('Exact formula'), numeric: true },
      { title: t('Bound'), numeric: true },
      { title: t('Lower bound'), numeric: true },
      { title: t('Rounds'), numeric: true },
      { title: t('Output error'), numeric: true },
      { title: t('Log-normaliser error'), numeric: true },
      { title: t('Stated error'), numeric: true },
      { title: t('Verdict') },
    ],
    { class: 'cards ledger', 'data-testid': 'ledger-table' },
  );
  readonly element = this.#table.element;

  /** Shows the rows of a report. */
  show({ rows }: LedgerReport): void {
    this.#table.update(rows.map(rowOf));
  }
}

function rowOf(row: LedgerRow, index: number): Row {
  const { statement, construction, scenario, countedCalls, retries, exact, bound, lowerBound, rounds, stated, verdict } = row;
  return {
    attributes: { 'data-testid': `ledger-row-${index}`, 'data-verdict': verdict },
    cells: [
      { ...words(statement), testId: 'ledger-statement' },
      { ...words(construction), testId: 'ledger-construction' },
      { ...words(scenarioTitle(scenario)), testId: 'ledger-scenario' },
      { ...words(parametersOf(row)), testId: 'ledger-parameters' },
      {
        ...count(countedCalls),
        detail: retries === 0 ? undefined : t('and {0}', formatNumberOf(retries, 'repeat')),
        testId: 'ledger-counted',
      },
      { ...figure(row.callsPerBlock), testId: 'ledger-per-block' },
      { ...count(exact.calls), title: exact.formula, detail: exact.formula, testId: 'ledger-exact' },
      // If the arrangement makes exactly as many calls as the statement allows, one formula is both count and bound.
      {
        ...count(bound.calls),
        title: bound.formula,
        detail: bound.formula === exact.formula ? undefined : bound.formula,
        testId: 'ledger-bound',
      },
      { ...count(lowerBound), testId: 'ledger-lower-bound' },
      { ...count(rounds), testId: 'ledger-rounds' },
      { ...errorSize(row.outputError), testId: 'ledger-output-error' },
      { ...(row.logNormaliserError === null ? nothing : errorSize(row.logNormaliserError)), testId: 'ledger-log-normaliser-error' },
      { ...errorSize(stated.error), title: messageShown(stated.reason), detail: messageShown(stated.reason), testId: 'ledger-stated' },
      { ...words(verdictName(verdict), verdictMeaning(verdict)), testId: 'ledger-verdict' },
    ],
  };
}

/** The parameters in the paper's letters. */
function parametersOf({ scenario, tokens, layers, heads, oracle }: LedgerRow): string {
  const parameters: readonly (readonly [string, number])[] = [
    ['N', tokens],
    ['M', oracle.inputLength],
    ...('window' in scenario ? [['r', scenario.window] as const] : []),
    ...('sinks' in scenario ? [['s', scenario.sinks] as const] : []),
    ['H', heads],
    ['L', layers],
    ["H'", oracle.heads],
    ["L'", oracle.layers],
  ];
  // Keep a letter and its number on one line.
  return parameters.map(([letter, value]) => `${letter}\u00a0${formatCount(value)}`).join(', ');
}

/** The ledger of theorems, with the button that runs it. It needs no prompt. */
export class Ledger implements View {
  readonly element: HTMLDetailsElement;
  readonly #task: OwnTask;
  readonly #empty = element('p', { class: 'note', 'data-testid': 'ledger-empty' }, t('The ledger has not run yet.'));
  readonly #table = new LedgerTable();
  readonly #sampling = new SamplingSummary('ledger-sampling');
  readonly #samplingVerdict = new VerdictLine('ledger-sampling-verdict');
  readonly #body: HTMLElement;

  constructor(host: Host) {
    this.#task = new OwnTask(host, 'ledger', 'ledger', t('Run the ledger'), { type: 'run-ledger' });
    const verdicts = (['exact', 'within', 'failed', 'vacuous'] as const)
      .map((kind) => `${verdictName(kind)} (${verdictMeaning(kind)})`)
      .join(', ');
    const legend = element('p', { class: 'note' }, `${lettersText()} ${t('Verdicts: {0}.', verdicts)}`);
    const scroller = element(
      'div',
      { class: 'wide-scroller', role: 'region', 'aria-label': t('Ledger of theorems'), tabindex: 0 },
      this.#table.element,
    );
    this.#body = element(
      'div',
      { class: 'ledger-body', 'data-testid': 'ledger' },
      scroller,
      legend,
      this.#sampling.element,
      this.#samplingVerdict.element,
    );
    this.element = tallSection(
      host,
      'ledger',
      t('Ledger'),
      false,
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
      this.#samplingVerdict.show(ledger.samplingVerdict);
    }
  }

  /** Shows new progress of the running ledger. */
  showProgress(progress: Progress): void {
    this.#task.showProgress(progress);
  }
}

/** What the ledger shows. */
function meaningText(): string {
  return t(
    "Every statement of the paper, run on a random model; no prompt needed. Each row shows the calls counted, their exact formula, the statement's bound, the lower bound for any arrangement, and the error against exact float64 attention.",
  );
}

/** Meaning of the letters in formulas and parameters. */
function lettersText(): string {
  return t(
    "N tokens, L layers and H heads of the large transformer; M tokens, L' layers and H' heads of the small one; window r and s sinks. T = ceil(N/(M - 1)) blocks, because a synthetic token takes one of the M rows; C = ceil(N/r) chunks, p of them a call.",
  );
}
