import type { CostCurve, CostCurves } from '../../src/core/compare/cost-curves';
import { pointMarks } from '../../src/core/draw/point-marks';
import { formatCount, formatPowerOfTwo } from '../../src/core/format';
import type { PanelCost } from '../../src/protocol/panel';
import { LineChart } from '../charts/line-chart';
import type { LinePoint, LineSeries } from '../charts/line-model';
import { plainMark } from '../charts/marks';
import { element, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import type { ThemeWatcher } from '../theme';
import { dataBehind } from '../ui/section';
import { count, nothing } from '../ui/shown';
import { FreeTable } from '../ui/tables';
import type { CostMetric } from './cost-metrics';

/** Cost over N: a line per scenario, the theorem's bound for the chosen one, and this prompt as a point. */
export class CostGrowth {
  readonly element: HTMLElement;
  readonly #title = element('h3');
  readonly #chart: LineChart;
  readonly #breakEven = element('p', { class: 'note', 'data-testid': 'break-even' });
  readonly #table = new FreeTable(t('Cost over the length of the prompt'), 'growth-table');

  constructor(host: Host, theme: ThemeWatcher) {
    this.#chart = new LineChart(theme, 'growth-chart');
    const table = dataBehind(host, 'growth', t('Cost over N as a table'), this.#table.element);
    this.element = element('div', { class: 'subsection' }, this.#title, this.#chart.element, this.#breakEven, table);
  }

  /** @param current the cost of this prompt under the chosen scenario */
  show(metric: CostMetric, { curves, breakEven }: CostCurves, current: PanelCost): void {
    const { overN, bound, format, formatFull } = metric;
    const known = curves.map((curve) => ({ curve, points: pointsOf(curve, overN.of) })).filter(({ points }) => points.length > 0);
    setVisible(this.element, known.length > 0);
    if (known.length === 0) {
      return;
    }
    setText(this.#title, t('Over the length of the prompt: {0}', overN.title));
    const chosen = curves.find(({ label }) => label === current.label);
    const bounds: readonly LineSeries[] =
      bound === null || chosen === undefined
        ? []
        : [
            {
              label: t('bound on {0}: {1}', chosen.title, chosen.theorem),
              points: pointsOf(chosen, bound),
              mark: plainMark('foreground', null),
              line: 'dashed',
            },
          ];
    const here = overN.of(current);
    const prompt: readonly LineSeries[] =
      here === null
        ? []
        : [
            {
              label: t('this prompt'),
              points: [{ x: current.tokens, y: here }],
              mark: plainMark('foreground', 'circle', true),
              line: 'none',
              emphasised: true,
            },
          ];
    // All have one M.
    const marks = pointMarks(known.map(({ curve: { scenario } }) => ({ scenario, blockSize: 0 })));
    this.#chart.show({
      description: t(
        '{0} over N, both axes logarithmic: {1}.',
        overN.title,
        known.map(({ curve, points }) => spanText(curve.label, points, format)).join('; '),
      ),
      x: { title: t('N, tokens'), scale: 'powers of two', format: formatPowerOfTwo, formatFull: formatCount },
      y: { title: overN.title, scale: 'logarithmic', format: overN.format ?? format, formatFull },
      series: [
        ...known.map(({ curve: { label, title }, points }, index): LineSeries => ({
          label: title,
          points,
          mark: marks[index],
          line: 'solid',
          emphasised: label === current.label,
        })),
        ...bounds,
        ...prompt,
      ],
      mark: metric.name === 'time' && breakEven?.fromTokens !== undefined ? { x: breakEven.fromTokens, label: t('break-even') } : null,
    });
    setVisible(this.#breakEven, breakEven !== null);
    setText(this.#breakEven, breakEven === null ? '' : breakEvenText(current.title, breakEven));
    this.#tabulate(metric, known, bounds);
  }

  #tabulate(
    { formatFull }: CostMetric,
    known: readonly { readonly curve: CostCurve; readonly points: readonly LinePoint[] }[],
    bounds: readonly LineSeries[],
  ): void {
    const columns = [
      ...known.map(({ curve, points }) => ({ title: curve.label, points })),
      ...bounds.map(({ label, points }) => ({ title: label, points })),
    ];
    const lengths = [...new Set(columns.flatMap(({ points }) => points.map(({ x }) => x)))].sort((one, other) => one - other);
    this.#table.update(
      [{ title: t('N, tokens') }, ...columns.map(({ title }) => ({ title, numeric: true }))],
      lengths.map((tokens) => ({
        cells: [
          count(tokens),
          ...columns.map(({ points }) => {
            const value = points.find(({ x }) => x === tokens)?.y;
            return value === undefined ? nothing : { text: formatFull(value), value };
          }),
        ],
      })),
    );
  }
}

function pointsOf({ points }: CostCurve, of: (point: CostCurve['points'][number]) => number | null): readonly LinePoint[] {
  return points.flatMap((point) => {
    const y = of(point);
    return y === null ? [] : [{ x: point.tokens, y }];
  });
}

function spanText(label: string, points: readonly LinePoint[], format: (value: number) => string): string {
  const [first, last] = [points[0], points[points.length - 1]];
  return t('{0} from {1} at {2} tokens to {3} at {4}', label, format(first.y), formatCount(first.x), format(last.y), formatCount(last.x));
}

function breakEvenText(title: string, { fromTokens, operator, measured, known }: NonNullable<CostCurves['breakEven']>): string {
  const longest = formatCount(measured.to);
  if (!known) {
    return t('Whether there is a break-even with dense attention is not known: calibrate again when the machine is quiet.');
  }
  if (fromTokens === undefined) {
    return t(
      'No break-even: up to {0} tokens, as far as it was measured, {1}, the fastest dense operator on this device, beats the attention calls of {2}.',
      longest,
      operator,
      title,
    );
  }
  return fromTokens <= measured.to
    ? t(
        'Break-even: from {0} tokens on the attention calls of {1} are expected to beat {2}, the fastest dense operator on this device.',
        formatCount(fromTokens),
        title,
        operator,
      )
    : t(
        'No break-even up to {0} tokens, as far as it was measured. Extrapolated, the attention calls of {1} beat {2}, the fastest dense operator on this device, from {3} tokens on.',
        longest,
        title,
        operator,
        formatCount(fromTokens),
      );
}
