import { formatDuration } from '../../src/core/format';
import type { Phase, Phases } from '../../src/core/report/report';
import { BarChart } from '../charts/bar-chart';
import { element } from '../dom';
import type { Host } from '../host';
import type { ThemeWatcher } from '../theme';
import { dataBehind } from '../ui/section';
import { duration, words } from '../ui/shown';
import { DataTable } from '../ui/table';

/** The phases in the order in which they happen; those outside the wall time prepare or check the answer. */
const phases: readonly { readonly name: Phase; readonly title: string; readonly inWallTime: boolean }[] = [
  { name: 'tokenize', title: 'tokenize', inWallTime: false },
  { name: 'project', title: 'project', inWallTime: true },
  { name: 'gather', title: 'gather', inWallTime: true },
  { name: 'attend', title: 'attend', inWallTime: true },
  { name: 'merge', title: 'merge', inWallTime: true },
  { name: 'layer', title: 'layers', inWallTime: true },
  { name: 'mlp', title: 'MLP', inWallTime: true },
  { name: 'verify', title: 'verify', inWallTime: false },
  { name: 'quality', title: 'quality', inWallTime: false },
];

/** The time of a run, phase by phase: as bars and as a table. */
export class PhaseChart {
  readonly element: HTMLElement;
  readonly #chart: BarChart;
  readonly #table = new DataTable(
    'Phases of the run',
    [{ title: 'Phase' }, { title: 'Part of the wall time' }, { title: 'Time', numeric: true }],
    { 'data-testid': 'phases-table' },
  );

  constructor(host: Host, theme: ThemeWatcher) {
    this.#chart = new BarChart(theme, 'phases-chart');
    const entry = (swatch: string, text: string): HTMLElement =>
      element('li', {}, element('span', { class: `swatch ${swatch}` }), element('span', {}, text));
    const legend = element('ul', { class: 'legend' }, entry('full', 'in the wall time'), entry('outside', 'before and after it'));
    const table = dataBehind(host, 'phases', 'Phases as a table', this.#table.element);
    this.element = element('div', { class: 'subsection' }, element('h3', {}, 'Phases'), legend, this.#chart.element, table);
  }

  /** Shows the phases of a run, in milliseconds. */
  show(times: Phases): void {
    const valuesOf = (inside: boolean): readonly number[] =>
      phases.map(({ name, inWallTime }) => (inWallTime === inside ? times[name] : 0));
    this.#chart.show({
      description: `Time of each phase: ${phases.map(({ name, title }) => `${title} ${formatDuration(times[name])}`).join(', ')}.`,
      categories: phases.map(({ title }) => [title]),
      emphasised: null,
      series: [
        { label: 'in the wall time', values: valuesOf(true), colour: 'blue', pattern: 'solid' },
        { label: 'before and after it', values: valuesOf(false), colour: 'orange', pattern: 'hatched' },
      ],
      markers: null,
      logarithmic: false,
      format: formatDuration,
      rowHeight: 24,
    });
    this.#table.update(
      phases.map(({ name, title, inWallTime }) => ({
        cells: [words(title), words(inWallTime ? 'yes' : 'no'), { ...duration(times[name]), testId: `phase-${name}` }],
      })),
    );
  }
}
