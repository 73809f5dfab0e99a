import { fileName, localTime } from '../../src/core/format';
import { scenarioLabel } from '../../src/core/scenario/scenario';
import type { PanelRun, PanelSnapshot } from '../../src/protocol/panel';
import { element, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import { tallSection, type View } from '../ui/section';
import { count, duration, errorSize, figure, nothing, words } from '../ui/shown';
import { DataTable, type Row } from '../ui/tables';
import { verdictShown } from '../ui/verdict';

/** The newest runs, newest first, including those of other prompts. */
export class History implements View {
  readonly #empty = element('p', { class: 'note' }, t('No runs yet.'));
  readonly #more = element('p', { class: 'note' });
  readonly #table = new DataTable(
    t('Runs, newest first'),
    [
      { title: t('Prompt') },
      { title: t('Scenario') },
      { title: t('Construction') },
      { title: 'M', numeric: true },
      { title: t('Calls'), numeric: true },
      { title: t('Time'), numeric: true },
      { title: t('Max error'), numeric: true },
      { title: t('Verdict') },
      { title: t('Perplexity'), numeric: true },
      { title: t('Date') },
    ],
    { class: 'cards history', 'data-testid': 'history' },
  );
  readonly element: HTMLElement;

  constructor(host: Host) {
    this.element = tallSection(host, 'history', t('History'), false, this.#empty, this.#table.element, this.#more);
  }

  update({ runs, keptRuns }: PanelSnapshot): void {
    setVisible(this.#empty, runs.length === 0);
    setVisible(this.#table.element, runs.length > 0);
    setVisible(this.#more, keptRuns > runs.length);
    setText(this.#more, t('{0} of {1} runs; the Runs view lists them all.', count(runs.length).text, count(keptRuns).text));
    this.#table.update(runs.map(rowOf));
  }
}

function rowOf({ id, current, report }: PanelRun): Row {
  const { prompt, scenario, construction, oracle, run, fidelity, quality, environment, verdict } = report;
  return {
    attributes: { 'data-testid': 'history-row', 'data-run': id, 'aria-current': current ? 'true' : false, 'data-verdict': verdict.kind },
    cells: [
      { ...words(fileName(prompt.path), prompt.path), badge: current ? t('in view') : undefined },
      words(scenarioLabel(scenario)),
      { ...words(construction), testId: 'history-construction' },
      count(oracle.inputLength),
      count(run.calls.total),
      duration(run.wallMs),
      fidelity === null ? nothing : errorSize(fidelity.maxAbsError),
      { ...verdictShown(verdict), testId: 'history-verdict' },
      quality === null ? nothing : figure(quality.perplexity),
      words(localTime(environment.date), environment.date),
    ],
  };
}
