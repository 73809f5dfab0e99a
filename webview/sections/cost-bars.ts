import { verdictName } from '../../src/core/report/verdict';
import type { PanelCost } from '../../src/protocol/panel';
import { BarChart } from '../charts/bar-chart';
import { element, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import type { ThemeWatcher } from '../theme';
import { dataBehind, legendEntry } from '../ui/section';
import { bytes, count, duration, flops, nothing, words } from '../ui/shown';
import { DataTable, type Row } from '../ui/tables';
import type { CostMetric } from './cost-metrics';

/** The axis is logarithmic if the largest bar exceeds the smallest by more than this ratio. */
const logarithmicFrom = 50;

/** The cost of the same prompt and M under each scenario: bars of one metric, and all metrics in a table. */
export class CostBars {
  readonly element: HTMLElement;
  readonly #chart: BarChart;
  readonly #legend = element('ul', { class: 'legend' });
  readonly #scale = element(
    'p',
    { class: 'note', 'data-testid': 'costs-scale' },
    t('Logarithmic axis: the lengths of the two parts can’t be compared.'),
  );
  readonly #unknown = element(
    'p',
    { class: 'note', 'data-testid': 'costs-unknown' },
    t('Time unknown: calibrate this machine. Black-box constructions are not predicted.'),
  );
  readonly #table = new DataTable(
    t('Cost per scenario'),
    [
      { title: t('Scenario') },
      { title: t('Attention calls'), numeric: true },
      { title: t('Token-wise calls'), numeric: true },
      { title: t('Bound on attention'), numeric: true },
      { title: t('FLOPs'), numeric: true },
      { title: t('Bytes'), numeric: true },
      { title: t('Time, expected'), numeric: true },
      { title: t('Time, measured'), numeric: true },
    ],
    { 'data-testid': 'costs-table' },
  );

  constructor(host: Host, theme: ThemeWatcher) {
    this.#chart = new BarChart(theme, 'costs-chart');
    const table = dataBehind(host, 'costs', t('Cost as a table'), this.#table.element);
    this.element = element(
      'div',
      { class: 'subsection' },
      element('h3', {}, t('This prompt')),
      this.#legend,
      this.#chart.element,
      this.#scale,
      this.#unknown,
      table,
    );
  }

  /** @param current index of the chosen scenario; negative if there is none */
  show(metric: CostMetric, costs: readonly PanelCost[], current: number): void {
    const { parts, marker, format, title } = metric;
    const total = (cost: PanelCost): number | null => costTotal(metric, cost);
    const known = costs.flatMap((cost) => [total(cost), marker?.of(cost) ?? null]).filter((value) => value !== null);
    const logarithmic = Math.max(...known) > logarithmicFrom * Math.min(...known);
    setVisible(this.#scale, logarithmic && parts.length > 1);
    setVisible(
      this.#unknown,
      costs.every((cost) => total(cost) === null),
    );
    setVisible(this.#chart.element, known.length > 0);
    const measures = marker !== null && costs.some((cost) => marker.of(cost) !== null);
    this.#legend.replaceChildren(
      ...parts.map(({ swatch, label }) => legendEntry(swatch, label)),
      ...(measures ? [legendEntry('bound', marker.label)] : []),
    );
    const textOf = (cost: PanelCost): string => {
      const sum = total(cost);
      return `${cost.label} ${sum === null ? t('unknown') : format(sum)}`;
    };
    this.#chart.show({
      description: t('{0} per scenario: {1}.', title, costs.map(textOf).join(', ')),
      categories: costs.map(labelLines),
      emphasised: current < 0 ? null : current,
      series: parts.map(({ label, of, colour, pattern }) => ({ label, values: costs.map(of), colour, pattern })),
      markers: measures ? { label: marker.label, values: costs.map(marker.of) } : null,
      logarithmic,
      format,
      // Beside a measured marker, the `≈` shows that the number belongs to the bar.
      formatSum: metric.name === 'time' ? (value) => `≈ ${format(value)}` : undefined,
    });
    this.#table.update(costs.map((cost, index) => rowOf(cost, index === current)));
  }
}

/** What a scenario costs by a metric, all parts together; null where that is not known. */
export function costTotal({ parts }: CostMetric, cost: PanelCost): number | null {
  return parts.reduce<number | null>((sum, { of }) => add(sum, of(cost)), null);
}

function add(sum: number | null, value: number | null): number | null {
  return value === null ? sum : (sum ?? 0) + value;
}

/** The scenario's title, with its parameters on a second line. */
function labelLines({ title, label }: PanelCost): readonly string[] {
  const parameters = /\((.*)\)$/.exec(label)?.[1];
  return parameters === undefined ? [title] : [title, parameters];
}

function rowOf(cost: PanelCost, current: boolean): Row {
  const time = (value: number | null): ReturnType<typeof duration> => (value === null ? nothing : duration(value));
  return {
    attributes: {
      'aria-current': current ? 'true' : false,
      'data-testid': `cost-${cost.kind}`,
      'data-verdict': cost.measuredFailed ? 'failed' : null,
    },
    cells: [
      words(cost.label),
      count(cost.attentionCalls),
      count(cost.tokenwiseCalls),
      count(cost.boundCalls),
      flops(cost.flops),
      bytes(cost.bytes),
      time(cost.predictedMs),
      { ...time(cost.measuredMs), testId: 'measured-time', detail: cost.measuredFailed ? verdictName('failed') : undefined },
    ],
  };
}
