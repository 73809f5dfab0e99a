import { formatDuration } from '../../src/core/format';
import type { Phase } from '../../src/core/report/phases';
import type { RunReport } from '../../src/core/report/report';
import { BarChart } from '../charts/bar-chart';
import { element, setText } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import type { ThemeWatcher } from '../theme';
import { dataBehind, legendEntry } from '../ui/section';
import { duration, nothing, share, words } from '../ui/shown';
import { DataTable } from '../ui/tables';

/** A phase under its name on the page. Phases outside the wall time prepare the run or check its result. */
interface NamedPhase {
  readonly name: Phase;
  readonly title: string;
  readonly inWallTime: boolean;
}

/** The phases in order of execution. */
function namedPhases(): readonly NamedPhase[] {
  return [
    { name: 'tokenize', title: t('tokenize'), inWallTime: false },
    { name: 'project', title: t('project'), inWallTime: true },
    { name: 'gather', title: t('gather'), inWallTime: true },
    { name: 'attend', title: t('attend'), inWallTime: true },
    { name: 'merge', title: t('merge'), inWallTime: true },
    { name: 'layer', title: t('layers'), inWallTime: true },
    { name: 'mlp', title: t('MLP'), inWallTime: true },
    { name: 'verify', title: t('verify'), inWallTime: false },
    { name: 'quality', title: t('quality'), inWallTime: false },
  ];
}

/** Time of a run by phase, beside the expected time: as bars and as a table. */
export class PhaseChart {
  readonly element: HTMLElement;
  readonly #title = element('h3');
  readonly #legend = element('ul', { class: 'legend' });
  readonly #chart: BarChart;
  readonly #table = new DataTable(
    t('Phases of the run'),
    [
      { title: t('Phase') },
      { title: t('Part of the wall time') },
      { title: t('Expected'), numeric: true },
      { title: t('Measured'), numeric: true },
      { title: t('Measured / expected'), numeric: true },
    ],
    { 'data-testid': 'phases-table' },
  );

  constructor(host: Host, theme: ThemeWatcher) {
    this.#chart = new BarChart(theme, 'phases-chart');
    const table = dataBehind(host, 'phases', t('Phases as a table'), this.#table.element);
    this.element = element('div', { class: 'subsection' }, this.#title, this.#legend, this.#chart.element, table);
  }

  /** Shows the phases of a run. */
  show({ run: { phases: times }, prediction }: RunReport): void {
    const phases = namedPhases();
    // Phases that are not predicted, or that this executor does not have, have no expected time.
    const expected = (name: Phase): number | null =>
      (prediction !== null && name in prediction.phases && prediction.phases[name as keyof typeof prediction.phases]) || null;
    const valuesOf = (inside: boolean): readonly number[] =>
      phases.map(({ name, inWallTime }) => (inWallTime === inside ? times[name] : 0));
    setText(this.#title, prediction === null ? t('Phases') : t('Phases, expected and measured'));
    this.#legend.replaceChildren(
      legendEntry('full', t('measured, in the wall time')),
      legendEntry('outside', t('measured, before and after it')),
      ...(prediction === null ? [] : [legendEntry('bound', t('expected'))]),
    );
    const textOf = ({ name, title }: NamedPhase): string => {
      const known = expected(name);
      return known === null
        ? t('{0} {1}', title, formatDuration(times[name]))
        : t('{0} {1}, expected {2}', title, formatDuration(times[name]), formatDuration(known));
    };
    this.#chart.show({
      description: t('Time of each phase: {0}.', phases.map(textOf).join('; ')),
      categories: phases.map(({ title }) => [title]),
      emphasised: null,
      series: [
        { label: t('in the wall time'), values: valuesOf(true), colour: 'blue', pattern: 'solid' },
        { label: t('before and after it'), values: valuesOf(false), colour: 'orange', pattern: 'hatched' },
      ],
      markers: prediction === null ? null : { label: t('expected'), values: phases.map(({ name }) => expected(name)) },
      logarithmic: false,
      format: formatDuration,
      rowHeight: 24,
    });
    this.#table.update(
      phases.map(({ name, title, inWallTime }) => {
        const known = expected(name);
        return {
          cells: [
            words(title),
            words(inWallTime ? t('yes') : t('no')),
            known === null ? nothing : duration(known),
            { ...duration(times[name]), testId: `phase-${name}` },
            known === null ? nothing : share(times[name] / known),
          ],
        };
      }),
    );
  }
}
