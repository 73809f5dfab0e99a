import type { PanelSnapshot } from '../../src/protocol/panel';
import type { RunReport } from '../../src/core/report/report';
import { element, setVisible } from '../dom';
import type { Host } from '../host';
import type { ThemeWatcher } from '../theme';
import { Figures } from '../ui/figures';
import { section } from '../ui/section';
import { bytes, count, duration, words } from '../ui/shown';
import { DataTable } from '../ui/table';
import type { View } from '../ui/view';
import { FidelityAndQuality } from './fidelity-quality';
import { PhaseChart } from './phases';

/** The newest run of the prompt and options in view: where it ran, how long, how right. */
export class LastRun implements View {
  readonly element: HTMLElement;
  readonly #empty = element(
    'p',
    { class: 'note', 'data-testid': 'last-run-empty' },
    'This prompt has not run under these options yet. Simulate runs it.',
  );
  readonly #figures = new Figures({
    wall: { label: 'Wall time', testId: 'wall-time', title: 'From tokens in memory to the last layer’s output' },
    memory: { label: 'Peak memory', testId: 'peak-memory', title: 'Highest resident set of the process so far' },
    provider: { label: 'Provider', testId: 'provider' },
    threads: { label: 'Threads', testId: 'threads' },
    device: { label: 'Device', testId: 'device' },
  });
  readonly #calls = new DataTable(
    'Calls, planned and measured',
    [{ title: 'Calls' }, { title: 'Planned', numeric: true }, { title: 'Measured', numeric: true }],
    { 'data-testid': 'calls-measured' },
  );
  readonly #phases: PhaseChart;
  readonly #accuracy = new FidelityAndQuality();
  readonly #body: HTMLElement;

  constructor(host: Host, theme: ThemeWatcher) {
    this.#phases = new PhaseChart(host, theme);
    const calls = element('div', { class: 'subsection' }, element('h3', {}, 'Calls, planned and measured'), this.#calls.element);
    this.#body = element(
      'div',
      { 'data-testid': 'last-run' },
      this.#figures.element,
      this.#accuracy.element,
      this.#phases.element,
      calls,
    );
    this.element = section(host, 'last-run', 'Last run', this.#empty, this.#body);
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
      wall: duration(run.wallMs),
      memory: bytes(run.peakRssBytes),
      provider: words(run.provider),
      threads: run.threads > 0 ? count(run.threads) : { text: 'automatic', value: run.threads },
      device: words(run.device, run.device),
    });
    this.#phases.show(run.phases);
    this.#accuracy.show(report);
    const row = (name: 'total' | 'attention' | 'tokenwise' | 'perLayer', title: string) => ({
      cells: [words(title), count(plan.calls[name]), { ...count(run.calls[name]), testId: `measured-${name}` }],
      attributes: { class: plan.calls[name] === run.calls[name] ? null : 'differs' },
    });
    this.#calls.update([
      row('total', 'All'),
      row('attention', 'Attention'),
      row('tokenwise', 'Token-wise'),
      row('perLayer', 'Per layer'),
      {
        cells: [words('Native run() calls'), words('–'), { ...count(run.calls.dispatches), testId: 'dispatches' }],
        attributes: { class: null },
      },
    ]);
  }
}
