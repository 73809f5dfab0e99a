import type { PanelSnapshot } from '../../src/protocol/panel';
import type { CallCounts } from '../../src/core/plan/cost';
import type { MeasuredCalls, RunReport } from '../../src/core/report/report';
import { element, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import type { ThemeWatcher } from '../theme';
import { Figures } from '../ui/figures';
import { section } from '../ui/section';
import { bytes, count, duration, nothing, words } from '../ui/shown';
import { DataTable, type Row } from '../ui/tables';
import type { View } from '../ui/view';
import { FidelityAndQuality } from './fidelity-quality';
import { LayerChart } from './layers';
import { PhaseChart } from './phases';
import { SamplingSummary } from './sampling';

/** The newest run of the prompt and options in view: where it ran, how long, how right. */
export class LastRun implements View {
  readonly element: HTMLDetailsElement;
  readonly #empty = element(
    'p',
    { class: 'note', 'data-testid': 'last-run-empty' },
    t('This prompt has not run under these options yet. Simulate runs it.'),
  );
  readonly #figures = new Figures({
    construction: { label: t('Construction'), testId: 'run-construction', title: t('How the small transformer was called') },
    wall: { label: t('Wall time'), testId: 'wall-time', title: t('From tokens in memory to the last layer’s output') },
    expected: {
      label: t('Wall time, expected'),
      testId: 'run-expected',
      title: t('Predicted before the run, from this machine’s calibration'),
    },
    memory: { label: t('Peak memory'), testId: 'peak-memory', title: t('Highest resident set of the process so far') },
    provider: { label: t('Provider'), testId: 'provider' },
    threads: { label: t('Threads'), testId: 'threads' },
    device: { label: t('Device'), testId: 'device' },
  });
  readonly #calls = new DataTable(
    t('Calls, planned and measured'),
    [{ title: t('Calls') }, { title: t('Planned'), numeric: true }, { title: t('Measured'), numeric: true }],
    { 'data-testid': 'calls-measured' },
  );
  readonly #phases: PhaseChart;
  readonly #layers: LayerChart;
  readonly #accuracy = new FidelityAndQuality();
  readonly #sampling = new SamplingSummary('run-sampling');
  readonly #body: HTMLElement;

  constructor(host: Host, theme: ThemeWatcher) {
    this.#phases = new PhaseChart(host, theme);
    this.#layers = new LayerChart(host, theme);
    const calls = element('div', { class: 'subsection' }, element('h3', {}, t('Calls, planned and measured')), this.#calls.element);
    this.#body = element(
      'div',
      { 'data-testid': 'last-run' },
      this.#figures.element,
      this.#accuracy.element,
      this.#sampling.element,
      this.#phases.element,
      this.#layers.element,
      calls,
    );
    this.element = section(host, 'last-run', t('Last run'), this.#empty, this.#body);
  }

  /** Unfolds the section and brings it into view. */
  reveal(): void {
    this.element.open = true;
    this.element.scrollIntoView({ block: 'start' });
  }

  update({ document, runs }: PanelSnapshot): void {
    const report = runs.find(({ current }) => current)?.report;
    setVisible(this.element, document !== null);
    setVisible(this.#empty, report === undefined);
    setVisible(this.#body, report !== undefined);
    if (report !== undefined) {
      this.#show(report);
    }
  }

  #show(report: RunReport): void {
    const { run, plan } = report;
    this.#figures.update({
      construction: words(report.construction),
      wall: duration(run.wallMs),
      expected: report.prediction === null ? null : duration(report.prediction.wallMs),
      memory: bytes(run.peakRssBytes),
      provider: words(run.provider),
      threads: run.threads > 0 ? count(run.threads) : { text: t('automatic'), value: run.threads },
      device: words(run.device, run.device),
    });
    this.#phases.show(report);
    this.#layers.show(report);
    this.#accuracy.show(report);
    setVisible(this.#sampling.element, report.sampling !== null);
    if (report.sampling !== null) {
      this.#sampling.show(report.sampling);
    }
    this.#calls.update(callRows(plan.calls, run.calls));
  }
}

/** Calls as planned and as made. Retries are attention calls that no plan foresees: the rest must be as planned. */
function callRows(planned: CallCounts, made: MeasuredCalls): readonly Row[] {
  const differs = { total: made.total - made.retries !== planned.total, attention: made.attention - made.retries !== planned.attention };
  const row = (name: keyof CallCounts, title: string, wrong: boolean): Row => ({
    cells: [words(title), count(planned[name]), { ...count(made[name]), testId: `measured-${name}` }],
    attributes: { class: wrong ? 'differs' : null },
  });
  const unplanned = (name: 'retries' | 'dispatches', title: string): Row => ({
    cells: [words(title), nothing, { ...count(made[name]), testId: name }],
    attributes: { class: null },
  });
  return [
    row('total', t('All'), differs.total),
    row('attention', t('Attention'), differs.attention),
    row('tokenwise', t('Token-wise'), made.tokenwise !== planned.tokenwise),
    row('perLayer', t('Per layer'), differs.total),
    ...(made.retries > 0 ? [unplanned('retries', t('Attention calls repeated, the reference score being too far off'))] : []),
    unplanned('dispatches', t('Native run() calls')),
  ];
}
