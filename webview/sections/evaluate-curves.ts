import { pointMarks } from '../../src/core/draw/point-marks';
import { type CurveValue, qualityCurve } from '../../src/core/evaluate/curves';
import type { ExperimentSummary } from '../../src/core/evaluate/report';
import { curveRows, errorsText, pointTitle } from '../../src/core/evaluate/rows';
import { formatCompact, formatCount, formatFigure, formatPowerOfTwo } from '../../src/core/format';
import type { AxisModel } from '../charts/axes';
import { LineChart } from '../charts/line-chart';
import type { LinePoint, LineSeries } from '../charts/line-model';
import { plainMark } from '../charts/marks';
import { element, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import type { ThemeWatcher } from '../theme';
import { dataBehind } from '../ui/section';
import { words } from '../ui/shown';
import { FreeTable } from '../ui/tables';
import { type MeasuredPoint, qualityName } from './evaluate-statistics';

/** Perplexity and KL divergence by position in the context, with their confidence intervals. */
export class QualityCurves {
  readonly element: HTMLElement;
  readonly #divergence: LineChart;
  readonly #perplexity: LineChart;
  readonly #perplexityPart: HTMLElement;
  readonly #tables = element('div');
  readonly #note = element('p', { class: 'note', 'data-testid': 'curves-note' });

  constructor(host: Host, theme: ThemeWatcher) {
    this.#divergence = new LineChart(theme, 'divergence-chart');
    this.#perplexity = new LineChart(theme, 'perplexity-chart');
    const part = (title: string, chart: LineChart): HTMLElement =>
      element('div', { class: 'subsection' }, element('h3', {}, title), chart.element);
    this.#perplexityPart = part(t('Perplexity by position'), this.#perplexity);
    const charts = element('div', { class: 'side-by-side' }, part(t('KL divergence by position'), this.#divergence), this.#perplexityPart);
    this.element = element(
      'div',
      { class: 'subsection' },
      charts,
      this.#note,
      dataBehind(host, 'quality-curves', t('Quality by position as a table'), this.#tables),
    );
  }

  /** Shows the measured points. */
  show(points: readonly MeasuredPoint[], { experiment, points: all }: ExperimentSummary): void {
    setVisible(this.element, points.length > 0);
    const marks = pointMarks(points, all);
    const seriesOf = (measure: 'divergence' | 'perplexity'): LineSeries[] =>
      points.map((point, index) => ({
        label: pointTitle(point, experiment),
        points: qualityCurve(point.quality.curve, measure).map(place),
        mark: marks[index],
        line: 'solid',
      }));
    const own = points.length === 0 ? [] : qualityCurve(points[0].quality.curve, 'baselinePerplexity').map(place);
    setVisible(this.#perplexityPart, own.length > 0);
    draw(this.#divergence, t('mean KL divergence, nats'), seriesOf('divergence'), { scale: 'linear', format: formatFigure, from: 0 });
    if (own.length > 0) {
      draw(
        this.#perplexity,
        t('perplexity'),
        [
          ...seriesOf('perplexity'),
          { label: t('the model’s own attention'), points: own, mark: plainMark('foreground', null), line: 'dashed' },
        ],
        { scale: 'logarithmic', format: formatCompact },
      );
    }
    const errors = points.at(0)?.quality.errors;
    setText(
      this.#note,
      errors === undefined
        ? ''
        : t(
            'Whiskers are 95% confidence intervals, of the whole by {0} and of each range as the table says; positions count from the start of the window.',
            errorsText(errors),
          ),
    );
    this.#tables.replaceChildren(...points.map((point) => curveTable(point, pointTitle(point, experiment))));
  }
}

function draw(chart: LineChart, measure: string, series: readonly LineSeries[], axis: Omit<AxisModel, 'title'>): void {
  chart.show({
    description: t(
      '{0} by position: {1}.',
      measure,
      series
        .map(({ label, points }) => `${label} ${points.map(({ x, y }) => t('{0} at {1}', formatFigure(y), formatCount(x))).join(', ')}`)
        .join('; '),
    ),
    x: { title: t('tokens read'), scale: 'powers of two', format: formatPowerOfTwo, formatFull: formatCount },
    y: { title: measure, formatFull: formatFigure, ...axis },
    series,
    mark: null,
  });
}

function place({ position, value, low, high }: CurveValue): LinePoint {
  return { x: position, y: value, ...(low !== undefined && high !== undefined && { low, high }) };
}

function curveTable({ quality }: MeasuredPoint, title: string): HTMLElement {
  const table = new FreeTable(t('{0}, by position', title), 'quality-curve-table');
  const { columns, rows } = curveRows(quality.curve);
  table.update(
    columns.map((column, index) => ({ title: qualityName(column), numeric: index > 0 })),
    rows.map((cells) => ({ cells: cells.map((cell) => words(cell)) })),
  );
  return element('div', {}, element('h4', {}, title), table.element);
}
