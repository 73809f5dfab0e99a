import type { PanelSnapshot } from '../../src/protocol/panel';
import { BarChart } from '../charts/bar-chart';
import { element, setText, setVisible } from '../dom';
import { t } from '../l10n';
import { costTotal } from '../sections/cost-bars';
import { type CostMetric, costMetrics } from '../sections/cost-metrics';
import type { ThemeWatcher } from '../theme';
import type { View } from '../ui/section';

/** Height of a bar's row, in CSS pixels. */
const rowHeight = 14;

/** What each scenario costs, a bar each: the expected time, or the calls while no time is known. */
export class GlanceCosts implements View {
  readonly element: HTMLElement;
  readonly #title = element('h2');
  readonly #chart: BarChart;
  readonly #metrics: Readonly<Record<CostMetric['name'], CostMetric>>;

  constructor(theme: ThemeWatcher) {
    this.#metrics = Object.fromEntries(costMetrics().map((metric) => [metric.name, metric])) as Record<CostMetric['name'], CostMetric>;
    this.#chart = new BarChart(theme, 'glance-costs');
    this.element = element('section', { class: 'glance-costs', 'aria-label': t('Cost per scenario') }, this.#title, this.#chart.element);
  }

  update({ plan, scenarioCosts }: PanelSnapshot): void {
    setVisible(this.element, plan !== null && scenarioCosts.length > 0);
    if (plan === null || scenarioCosts.length === 0) {
      return;
    }
    const { time, calls } = this.#metrics;
    const metric = scenarioCosts.some(({ predictedMs }) => predictedMs === null) ? calls : time;
    const totals = scenarioCosts.map((cost) => costTotal(metric, cost) ?? 0);
    const current = scenarioCosts.findIndex(({ kind }) => kind === plan.scenario.kind);
    setText(this.#title, t('{0} per scenario', metric.title));
    this.#chart.show({
      description: t(
        '{0} per scenario: {1}.',
        metric.title,
        scenarioCosts.map(({ label }, index) => `${label} ${metric.format(totals[index])}`).join(', '),
      ),
      categories: scenarioCosts.map(({ title }) => [title]),
      emphasised: current < 0 ? null : current,
      series: [{ label: metric.title, values: totals, colour: 'blue', pattern: 'solid' }],
      markers: null,
      logarithmic: false,
      format: metric.format,
      rowHeight,
      withoutAxis: true,
    });
  }
}
