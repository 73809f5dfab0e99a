import { type FrontPoint, frontPoints } from '../../src/core/evaluate/curves';
import type { ExperimentSummary } from '../../src/core/evaluate/report';
import { formatCompact, formatFigure, formatFlops } from '../../src/core/format';
import { verdictName } from '../../src/core/report/verdict';
import { markOf } from '../../src/core/scenario/scenario';
import { LineChart } from '../charts/line-chart';
import type { LinePoint, LineSeries } from '../charts/line-model';
import { element, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import type { ThemeWatcher } from '../theme';
import { dataBehind } from '../ui/section';
import { count, duration, figure, flops, nothing, words } from '../ui/shown';
import { DataTable } from '../ui/tables';

/** Quality against cost: every point of an experiment, and the Pareto front. */
export class ParetoFront {
  readonly element: HTMLElement;
  readonly #chart: LineChart;
  readonly #floor = element(
    'p',
    { class: 'note', 'data-testid': 'front-floor' },
    t('Points on the lowest line do not differ from the model’s own attention: their divergence is 0.'),
  );
  readonly #table = new DataTable(
    t('Quality against cost'),
    [
      { title: t('Scenario') },
      { title: t('FLOPs of attention'), numeric: true },
      { title: t('Calls'), numeric: true },
      { title: t('Time, expected'), numeric: true },
      { title: t('Mean KL'), numeric: true },
      { title: t('On the front') },
    ],
    { 'data-testid': 'front-table' },
  );

  constructor(host: Host, theme: ThemeWatcher) {
    this.#chart = new LineChart(theme, 'front-chart');
    const note = element(
      'p',
      { class: 'note' },
      t(
        'On the Pareto front no other point has both less work of attention and a smaller divergence. Costs are of one window. A tie: 95% intervals overlap, which leaves open whether the point belongs to the front.',
      ),
    );
    const table = dataBehind(host, 'front', t('Quality against cost as a table'), this.#table.element);
    this.element = element(
      'div',
      { class: 'subsection' },
      element('h3', {}, t('Quality against cost')),
      this.#chart.element,
      this.#floor,
      note,
      table,
    );
  }

  /** Shows the points of an experiment whose quality was measured. */
  show(evaluation: ExperimentSummary): void {
    const points = frontPoints(evaluation);
    const positive = points.map(({ divergence }) => divergence.value).filter((value) => value > 0);
    setVisible(this.element, points.length > 1 && positive.length > 0);
    if (points.length < 2 || positive.length === 0) {
      return;
    }
    // A logarithmic axis has no 0: the decade below all other values stands for it.
    const floor = 10 ** (Math.floor(Math.log10(Math.min(...positive))) - 1);
    setVisible(this.#floor, positive.length < points.length);
    const placed = (point: FrontPoint): LinePoint => {
      const { value, low, high } = point.divergence;
      return {
        x: point.cost.attentionFlops,
        y: Math.max(value, floor),
        ...(value > 0 && Number.isFinite(high) && { low: Math.max(low, floor), high }),
      };
    };
    const kinds = [...new Set(points.map(({ kind }) => kind))];
    const front = points.filter(({ onFront }) => onFront);
    const nameOf = ({ label, divergence, cost, tie, failed, ownBaseline }: FrontPoint): string =>
      ownBaseline
        ? t('{0}: its own baseline, {1}', label, formatFlops(cost.attentionFlops))
        : t(
            tie ? '{0}: {1} nats, {2}, a tie' : '{0}: {1} nats, {2}',
            failed ? `${label}, ${verdictName('failed')}` : label,
            formatFigure(divergence.value),
            formatFlops(cost.attentionFlops),
          );
    this.#chart.show({
      description: t('Mean divergence against work; on the Pareto front: {0}.', front.map(nameOf).join('; ')),
      x: { title: t('FLOPs of attention, for a window'), scale: 'logarithmic', format: formatFlops },
      y: { title: t('mean KL divergence, nats'), scale: 'logarithmic', format: formatFigure },
      series: [
        ...kinds.map((kind): LineSeries => {
          const own = points.filter((point) => point.kind === kind);
          return { label: kind, points: own.map(placed), ...markOf(kind), line: 'none', notes: own.map(nameOf) };
        }),
        {
          label: t('Pareto front'),
          points: front.map(placed).map(({ x, y }) => ({ x, y })),
          colour: 'foreground',
          shape: null,
          line: 'steps',
          notes: front.map(() => ''),
        },
      ],
      mark: null,
    });
    this.#table.update(
      points.map((point) => {
        const { label, cost, divergence, onFront, tie, failed, ownBaseline } = point;
        return {
          cells: [
            words(label),
            flops(cost.attentionFlops),
            { ...count(cost.calls.total), text: formatCompact(cost.calls.total) },
            cost.predictedMs === null ? nothing : duration(cost.predictedMs),
            ownBaseline ? words(t('its own baseline')) : figure(divergence.value),
            failed ? words(verdictName('failed')) : words(tie ? t('tie') : onFront ? t('yes') : t('no')),
          ],
        };
      }),
    );
  }
}
