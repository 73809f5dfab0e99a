import { formatCount, formatDuration } from '../../src/core/format';
import { layerPhases, type LayerTimes } from '../../src/core/report/phases';
import type { RunReport } from '../../src/core/report/report';
import { LineChart } from '../charts/line-chart';
import type { LineSeries } from '../charts/line-model';
import { plainMark } from '../charts/marks';
import { element, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import type { ThemeWatcher } from '../theme';
import { dataBehind } from '../ui/section';
import { count, duration, nothing, share } from '../ui/shown';
import { DataTable } from '../ui/tables';

/** Time of every layer of a run, beside the expected time. */
export class LayerChart {
  readonly element: HTMLElement;
  readonly #chart: LineChart;
  readonly #table = new DataTable(
    t('Layers of the run'),
    [
      { title: t('Layer') },
      { title: t('Expected'), numeric: true },
      { title: t('Measured'), numeric: true },
      { title: t('Measured / expected'), numeric: true },
      { title: t('Attention share'), numeric: true },
    ],
    { 'data-testid': 'layers-table' },
  );

  constructor(host: Host, theme: ThemeWatcher) {
    this.#chart = new LineChart(theme, 'layers-chart');
    const table = dataBehind(host, 'layers', t('Layers as a table'), this.#table.element);
    this.element = element(
      'div',
      { class: 'subsection' },
      element('h3', {}, t('Layers, expected and measured')),
      this.#chart.element,
      table,
    );
  }

  /** Shows the layers of a run; hides if they were not measured. */
  show({ run: { layers = [] }, prediction }: RunReport): void {
    setVisible(this.element, layers.length > 0);
    if (layers.length === 0) {
      return;
    }
    const measured = layers.map(totalOf);
    const expected = prediction?.layerMs ?? [];
    const seriesOf = (label: string, times: readonly number[], look: Pick<LineSeries, 'mark' | 'line' | 'emphasised'>): LineSeries => ({
      label,
      points: times.map((y, layer) => ({ x: layer + 1, y })),
      ...look,
    });
    this.#chart.show({
      description: t('Time of each layer: {0}.', measured.map((time, layer) => textOf(layer, time, expected[layer])).join(', ')),
      x: { title: t('layer'), scale: 'linear', format: formatCount, whole: true },
      y: { title: t('wall time'), scale: 'linear', format: formatDuration, from: 0 },
      series: [
        seriesOf(t('measured'), measured, { mark: plainMark('blue', 'circle'), line: 'solid', emphasised: true }),
        ...(expected.length === 0 ? [] : [seriesOf(t('expected'), expected, { mark: plainMark('foreground', 'diamond'), line: 'dashed' })]),
      ],
      mark: null,
    });
    this.#table.update(
      measured.map((time, layer) => ({
        cells: [
          count(layer + 1),
          layer in expected ? duration(expected[layer]) : nothing,
          { ...duration(time), testId: `layer-${layer + 1}` },
          layer in expected ? share(time / expected[layer]) : nothing,
          share((layers[layer].gather + layers[layer].attend + layers[layer].merge) / time),
        ],
      })),
    );
  }
}

function totalOf(times: LayerTimes): number {
  return layerPhases.reduce((sum, phase) => sum + times[phase], 0);
}

function textOf(layer: number, time: number, expected: number | undefined): string {
  return expected === undefined
    ? t('{0} took {1}', layer + 1, formatDuration(time))
    : t('{0} took {1}, expected {2}', layer + 1, formatDuration(time), formatDuration(expected));
}
