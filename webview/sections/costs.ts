import type { CostCurves } from '../../src/core/compare/cost-curves';
import type { PanelSnapshot } from '../../src/protocol/panel';
import { element, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import type { ThemeWatcher } from '../theme';
import { tallSection, type View } from '../ui/section';
import { radioGroup } from '../ui/toolkit';
import { CostBars } from './cost-bars';
import { CostGrowth } from './cost-growth';
import { costMetrics, type CostMetric } from './cost-metrics';

const choiceName = 'cost-metric';

/** The cost of each scenario by a chosen metric: for this prompt, and over N. */
export class Costs implements View {
  readonly element: HTMLElement;
  readonly #bars: CostBars;
  readonly #growth: CostGrowth;
  readonly #impossible = element('p', { class: 'note', 'data-testid': 'costs-impossible' });
  #metric: CostMetric;
  #snapshot: PanelSnapshot | null = null;
  #curves: CostCurves | null = null;

  constructor(host: Host, theme: ThemeWatcher) {
    const metrics = costMetrics();
    const metricOf = (name: string | undefined): CostMetric => metrics.find((metric) => metric.name === name) ?? metrics[0];
    this.#metric = metricOf(host.chosen(choiceName));
    this.#bars = new CostBars(host, theme);
    this.#growth = new CostGrowth(host, theme);
    const choices = metrics.map(({ name, title }) => ({ value: name, label: title }));
    const metric = radioGroup(t('Metric'), choices, this.#metric.name, { 'data-testid': 'cost-metric' }, (name) => {
      host.setChosen(choiceName, name);
      this.#metric = metricOf(name);
      this.#draw();
    });
    const charts = element('div', { class: 'side-by-side' }, this.#bars.element, this.#growth.element);
    this.element = tallSection(host, 'costs', t('Cost per scenario'), false, metric, this.#impossible, charts);
  }

  update(snapshot: PanelSnapshot): void {
    this.#snapshot = snapshot;
    const { impossibleScenarios } = snapshot;
    setVisible(this.element, snapshot.plan !== null && snapshot.scenarioCosts.length > 0);
    setVisible(this.#impossible, impossibleScenarios.length > 0);
    setText(this.#impossible, impossibleScenarios.join(' '));
    this.#draw();
  }

  /** Shows new curves over N. */
  showCurves(curves: CostCurves | null): void {
    this.#curves = curves;
    this.#draw();
  }

  #draw(): void {
    const { plan = null, scenarioCosts = [] } = this.#snapshot ?? {};
    if (plan === null || scenarioCosts.length === 0) {
      return;
    }
    const current = scenarioCosts.findIndex(({ kind }) => kind === plan.scenario.kind);
    this.#bars.show(this.#metric, scenarioCosts, current);
    setVisible(this.#growth.element, this.#curves !== null && current >= 0);
    if (this.#curves !== null && current >= 0) {
      this.#growth.show(this.#metric, this.#curves, scenarioCosts[current]);
    }
  }
}
