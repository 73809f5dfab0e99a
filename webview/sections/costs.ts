import { formatCompact } from '../../src/core/format';
import type { PanelSnapshot, ScenarioCost } from '../../src/protocol/panel';
import { BarChart } from '../charts/bar-chart';
import { element, setText, setVisible } from '../dom';
import type { Host } from '../host';
import type { ThemeWatcher } from '../theme';
import { dataBehind, section } from '../ui/section';
import { count, duration, flops, nothing, words } from '../ui/shown';
import { DataTable, type Row } from '../ui/table';
import type { View } from '../ui/view';

/** Beyond this ratio of the largest to the smallest bar the axis is logarithmic. */
const logarithmicFrom = 50;

/** What the same prompt and M cost under each scenario. */
export class Costs implements View {
  readonly element: HTMLElement;
  readonly #chart: BarChart;
  readonly #scale = element('p', { class: 'note', 'data-testid': 'costs-scale' }, 'Logarithmic axis: lengths of the two parts do not compare.');
  readonly #impossible = element('p', { class: 'note', 'data-testid': 'costs-impossible' });
  readonly #table = new DataTable(
    'Calls per scenario',
    [
      { title: 'Scenario' },
      { title: 'Attention calls', numeric: true },
      { title: 'Token-wise calls', numeric: true },
      { title: 'Bound on attention', numeric: true },
      { title: 'Work', numeric: true },
      { title: 'Time, expected', numeric: true },
    ],
    { 'data-testid': 'costs-table' },
  );

  constructor(host: Host, theme: ThemeWatcher) {
    this.#chart = new BarChart(theme, 'costs-chart');
    const table = dataBehind(host, 'costs', 'Calls as a table', this.#table.element);
    this.element = section(host, 'costs', 'Calls per scenario', legend(), this.#chart.element, this.#scale, this.#impossible, table);
  }

  update({ plan, form, scenarioCosts, impossibleScenarios }: PanelSnapshot): void {
    const current = scenarioCosts.findIndex(({ kind }) => kind === (plan?.scenario.kind ?? form.kind));
    const shown = scenarioCosts.length > 0 && plan !== null;
    setVisible(this.element, shown);
    setVisible(this.#impossible, impossibleScenarios.length > 0);
    setText(this.#impossible, impossibleScenarios.join(' '));
    if (shown) {
      this.#draw(scenarioCosts, current);
      this.#table.update(scenarioCosts.map((cost, index) => rowOf(cost, index === current)));
    }
  }

  #draw(costs: readonly ScenarioCost[], current: number): void {
    const totals = costs.map(totalCalls);
    const logarithmic = Math.max(...totals) > logarithmicFrom * Math.max(1, Math.min(...totals));
    setVisible(this.#scale, logarithmic);
    this.#chart.show({
      description: `Calls per scenario: ${costs.map((cost) => `${cost.label} ${count(totalCalls(cost)).text}`).join(', ')}.`,
      categories: costs.map(labelLines),
      emphasised: current < 0 ? null : current,
      series: [
        { label: 'attention calls', values: costs.map((cost) => cost.attentionCalls), colour: 'blue', pattern: 'solid' },
        { label: 'token-wise calls', values: costs.map((cost) => cost.tokenwiseCalls), colour: 'green', pattern: 'hatched' },
      ],
      markers: { label: 'bound on attention calls', values: costs.map((cost) => cost.boundCalls) },
      logarithmic,
      format: formatCompact,
    });
  }
}

function totalCalls({ attentionCalls, tokenwiseCalls }: ScenarioCost): number {
  return attentionCalls + tokenwiseCalls;
}

/** The scenario's title, its parameters on a second line. */
function labelLines({ title, label }: ScenarioCost): readonly string[] {
  const parameters = /\((.*)\)$/.exec(label)?.[1];
  return parameters === undefined ? [title] : [title, parameters];
}

function rowOf(cost: ScenarioCost, current: boolean): Row {
  return {
    attributes: { 'aria-current': current ? 'true' : false, 'data-testid': `cost-${cost.kind}` },
    cells: [
      words(cost.label),
      count(cost.attentionCalls),
      count(cost.tokenwiseCalls),
      count(cost.boundCalls),
      flops(cost.flops),
      cost.predictedMs === null ? nothing : duration(cost.predictedMs),
    ],
  };
}

function legend(): HTMLElement {
  const entry = (swatch: string, text: string): HTMLElement =>
    element('li', {}, element('span', { class: `swatch ${swatch}` }), element('span', {}, text));
  return element(
    'ul',
    { class: 'legend' },
    entry('full', 'attention calls'),
    entry('tokenwise', 'token-wise calls'),
    entry('bound', 'the theorem’s bound on attention calls'),
  );
}
