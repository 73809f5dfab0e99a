import { scenarioLabel } from '../../src/core/masks';
import type { PanelRun, PanelSnapshot } from '../../src/protocol/panel';
import { element, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { section } from '../ui/section';
import { count, duration, errorSize, figure, nothing, words } from '../ui/shown';
import { DataTable, type Row } from '../ui/table';
import type { View } from '../ui/view';

/** Rows that the table shows at most. */
const shownRuns = 50;

/** The runs so far, newest first, those of other prompts included. */
export class History implements View {
  readonly #empty = element('p', { class: 'note' }, 'Runs will be listed here.');
  readonly #more = element('p', { class: 'note' });
  readonly #table = new DataTable(
    'Runs, newest first',
    [
      { title: 'Prompt' },
      { title: 'Scenario' },
      { title: 'Construction' },
      { title: 'M', numeric: true },
      { title: 'Calls', numeric: true },
      { title: 'Time', numeric: true },
      { title: 'Max error', numeric: true },
      { title: 'Perplexity', numeric: true },
      { title: 'Date' },
    ],
    { class: 'cards history', 'data-testid': 'history' },
  );
  readonly element: HTMLElement;

  constructor(host: Host) {
    this.element = section(host, 'history', 'History', this.#empty, this.#table.element, this.#more);
  }

  update({ runs }: PanelSnapshot): void {
    setVisible(this.#empty, runs.length === 0);
    setVisible(this.#table.element, runs.length > 0);
    setVisible(this.#more, runs.length > shownRuns);
    setText(this.#more, `The ${count(shownRuns).text} newest of ${count(runs.length).text} runs.`);
    this.#table.update(runs.slice(0, shownRuns).map(rowOf));
  }
}

function rowOf({ id, current, report }: PanelRun): Row {
  const { prompt, scenario, construction, oracle, run, fidelity, quality, environment } = report;
  return {
    attributes: { 'data-testid': 'history-row', 'data-run': id, 'aria-current': current ? 'true' : false },
    cells: [
      words(fileName(prompt.path), prompt.path),
      words(scenarioLabel(scenario)),
      { ...words(construction), testId: 'history-construction' },
      count(oracle.inputLength),
      count(run.calls.total),
      duration(run.wallMs),
      fidelity === null ? nothing : errorSize(fidelity.maxAbsError),
      quality === null ? nothing : figure(quality.perplexity),
      words(localTime(environment.date), environment.date),
    ],
  };
}

/** The last part of a path of either kind. */
function fileName(path: string): string {
  return path.split(/[\\/]/).at(-1) || path;
}

/** An ISO date as local `2026-02-01 14:05`. */
function localTime(date: string): string {
  const time = new Date(date);
  if (Number.isNaN(time.getTime())) {
    return date;
  }
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16).replace('T', ' ');
}
