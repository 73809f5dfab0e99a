import { legendMarks } from '../../src/core/draw/point-marks';
import { frontier, type FrontierAxis, frontierAxes, type FrontierPoint, type LabPoint } from '../../src/core/lab/frontier';
import { formatFigure } from '../../src/core/format';
import { verdictName } from '../../src/core/report/verdict';
import { markSwatch } from '../charts/marks';
import { element, setText, setVisible } from '../dom';
import type { Folds, Host } from '../host';
import { messageShown, t } from '../l10n';
import type { ThemeWatcher } from '../theme';
import { dataBehind } from '../ui/section';
import { count, duration, figure, flops, nothing, type Shown, words } from '../ui/shown';
import { DataTable } from '../ui/tables';
import { radioGroup } from '../ui/toolkit';
import { Scatter } from './scatter';

/** Quality against a cost that the user chooses, with the front of what no other point beats. */
export class Frontier {
  readonly element: HTMLElement;
  readonly #chart: Scatter;
  readonly #choice: HTMLElement;
  readonly #legend = element('ul', { class: 'legend' });
  readonly #note = element('p', { class: 'note', 'data-testid': 'frontier-note' });
  readonly #table = new DataTable(
    t('Quality against cost'),
    [
      { title: t('Scenario') },
      { title: t('Time, predicted'), numeric: true },
      { title: t('Time, measured'), numeric: true },
      { title: t('Calls'), numeric: true },
      { title: t('FLOPs of attention'), numeric: true },
      { title: t('Mean KL'), numeric: true },
      { title: t('On the front') },
    ],
    { 'data-testid': 'frontier-table' },
  );
  #axis: FrontierAxis;
  #points: readonly LabPoint[] = [];

  constructor(host: Folds & Pick<Host, 'chosen' | 'setChosen'>, theme: ThemeWatcher) {
    const kept = host.chosen('frontier');
    this.#axis = kept !== undefined && isAxis(kept) ? kept : 'flops';
    this.#chart = new Scatter(theme, 'frontier-chart');
    this.#choice = radioGroup(
      t('Quality against'),
      (Object.keys(frontierAxes) as FrontierAxis[]).map((axis) => ({ value: axis, label: t(frontierAxes[axis].title) })),
      this.#axis,
      { 'data-testid': 'frontier-axis' },
      (value) => {
        if (isAxis(value)) {
          this.#axis = value;
          host.setChosen('frontier', value);
          this.#draw();
        }
      },
    );
    this.element = element(
      'div',
      { class: 'frontier' },
      this.#choice,
      this.#chart.element,
      this.#legend,
      this.#note,
      dataBehind(host, 'frontier', t('Quality against cost as a table'), this.#table.element),
    );
  }

  /** Shows other points. */
  show(points: readonly LabPoint[]): void {
    this.#points = points;
    this.#draw();
  }

  #draw(): void {
    const axis = frontierAxes[this.#axis];
    const points = frontier(this.#points, this.#axis);
    const positive = points.map(({ divergence }) => divergence.value).filter((value) => value > 0);
    const drawable = positive.length > 0;
    setVisible(this.#chart.element, drawable);
    setVisible(this.#legend, drawable);
    const drawn = new Set(points.map(({ title }) => title));
    const left = this.#points.filter(({ title }) => !drawn.has(title));
    const [costless, unmeasured] = [left.filter(({ costs }) => !costs[this.#axis]), left.filter(({ costs }) => costs[this.#axis])];
    setText(
      this.#note,
      !drawable
        ? this.#points.length > 0 && this.#points.every(({ costs }) => costs[this.#axis] === null)
          ? t('This cost is not known of any point yet.')
          : t('No point has both a quality and this cost yet.')
        : [
            t('Less is better on both axes; the line is what no other point beats, and what others beat is pale.'),
            ...(points.some(({ divergence }) => divergence.low !== null) ? [t('Bars are 95% intervals.')] : []),
            ...(points.some(({ divergence }) => divergence.value <= 0) ? [t('Points at the foot have no divergence at all.')] : []),
            ...(costless.length > 0
              ? [t('{0} of {1} points have no such cost yet: {2}.', costless.length, this.#points.length, titlesOf(costless))]
              : []),
            ...(unmeasured.length > 0
              ? [
                  t(
                    '{0} of {1} points have no mean KL, so they are not drawn: {2}.',
                    unmeasured.length,
                    this.#points.length,
                    whyOf(unmeasured),
                  ),
                ]
              : []),
          ].join(' '),
    );
    this.#legend.replaceChildren(...familyLegend(points));
    if (drawable) {
      // A logarithmic axis has no 0: the decade below all other values stands for it.
      const floor = 10 ** (Math.floor(Math.log10(Math.min(...positive))) - 1);
      const height = (value: number): number => Math.max(value, floor);
      const front = points.filter(({ onFront }) => onFront);
      this.#chart.show({
        description: t(
          'Mean divergence against {0}; on the front: {1}.',
          t(axis.title),
          front.map((point) => pointText(point, axis.format)).join('; '),
        ),
        x: { title: t(axis.title), scale: 'logarithmic', format: axis.format },
        y: { title: t('mean KL divergence, nats'), scale: 'logarithmic', format: formatFigure },
        points: points.map((point) => ({
          x: point.cost,
          y: height(point.divergence.value),
          low: point.divergence.value > 0 && point.divergence.low !== null ? height(point.divergence.low) : null,
          high: point.divergence.value > 0 ? point.divergence.high : null,
          mark: point.mark,
          label: point.failed ? `${point.label}, ${verdictName('failed')}` : point.label,
          note: pointText(point, axis.format),
          faded: !point.onFront && !point.tie,
        })),
        line: front.map(({ cost, divergence }) => ({ x: cost, y: height(divergence.value) })),
        stepped: true,
      });
    }
    this.#fillTable(points);
  }

  #fillTable(front: readonly FrontierPoint[]): void {
    const known = (value: number | null, as: (value: number) => Shown): Shown => (value === null ? nothing : as(value));
    this.#table.update(
      this.#points.map((point) => {
        const { title, costs, divergence, failed } = point;
        const standing = front.find((each) => each.title === title);
        return {
          cells: [
            words(title),
            known(costs.predicted, duration),
            known(costs.measured, duration),
            known(costs.calls, count),
            known(costs.flops, flops),
            point.ownBaseline ? words(t('its own baseline')) : known(divergence?.value ?? null, figure),
            words(
              failed
                ? verdictName('failed')
                : standing === undefined
                  ? '–'
                  : standing.tie
                    ? t('tie')
                    : standing.onFront
                      ? t('yes')
                      : t('no'),
            ),
          ],
        };
      }),
    );
  }
}

/** The families of some points: what the colours mean, and that brightness is the window. */
function familyLegend(points: readonly LabPoint[]): HTMLElement[] {
  const named = points.map(({ scenario, mark }) => ({ name: scenario.kind, mark }));
  return [...legendMarks(named)].map(([kind, mark]) => {
    const strengths = new Set(named.filter(({ name }) => name === kind).map((point) => point.mark.strength));
    const name = strengths.size > 1 ? t('{0}: the stronger the colour, the wider the window', kind) : kind;
    return element('li', {}, markSwatch(mark), element('span', {}, name));
  });
}

function titlesOf(points: readonly LabPoint[]): string {
  return points.map(({ title }) => title).join(', ');
}

/** Points without a quality, with why where that is known. */
function whyOf(points: readonly LabPoint[]): string {
  return points
    .map(({ title, qualityNote }) => (qualityNote === null ? title : `${title} (${messageShown(qualityNote).replace(/\.$/, '')})`))
    .join(', ');
}

function isAxis(value: string): value is FrontierAxis {
  return Object.hasOwn(frontierAxes, value);
}

function pointText({ title, divergence, cost, ownBaseline, tie }: FrontierPoint, format: (value: number) => string): string {
  return ownBaseline
    ? t('{0}: its own baseline, {1}', title, format(cost))
    : t(tie ? '{0}: {1} nats, {2}, a tie' : '{0}: {1} nats, {2}', title, formatFigure(divergence.value), format(cost));
}
