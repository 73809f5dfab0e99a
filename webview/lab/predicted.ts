import { type LabPoint, timedPoints, type TimedPoint } from '../../src/core/lab/frontier';
import type { DeviceRoof } from '../../src/core/lab/roofline';
import { formatDeviation, formatDuration } from '../../src/core/format';
import { element, setText, setVisible } from '../dom';
import type { Folds } from '../host';
import { t } from '../l10n';
import type { ThemeWatcher } from '../theme';
import { dataBehind } from '../ui/section';
import { duration, words } from '../ui/shown';
import { DataTable } from '../ui/tables';
import { Roofline } from './roofline';
import { Scatter } from './scatter';

/** Measured times against predicted ones: on the line they are equal. Below them, what the runs made of the machine. */
export class Predicted {
  readonly element: HTMLElement;
  readonly #chart: Scatter;
  readonly #roofline: Roofline;
  readonly #note = element('p', { class: 'note', 'data-testid': 'predicted-note' });
  readonly #table = new DataTable(
    t('Predicted against measured times'),
    [
      { title: t('Scenario') },
      { title: t('Predicted'), numeric: true },
      { title: t('Measured'), numeric: true },
      { title: t('Residual'), numeric: true },
      { title: t('In its interval') },
    ],
    { 'data-testid': 'predicted-table' },
  );

  constructor(host: Folds, theme: ThemeWatcher) {
    this.#chart = new Scatter(theme, 'predicted-chart');
    this.#roofline = new Roofline(host, theme);
    this.element = element(
      'div',
      { class: 'predicted' },
      this.#chart.element,
      this.#note,
      dataBehind(host, 'predicted', t('Predicted against measured as a table'), this.#table.element),
      this.#roofline.element,
    );
  }

  /** Shows other points. @param roof of the calibrated device; null where that is not known */
  show(points: readonly LabPoint[], roof: DeviceRoof | null): void {
    this.#roofline.show(points, roof);
    const timed = timedPoints(points);
    setVisible(this.#chart.element, timed.length > 0);
    setText(
      this.#note,
      timed.length === 0
        ? t('No run was both predicted and measured yet: calibrate this machine, then run.')
        : t(
            'On the line, prediction and measurement are equal; above it, runs took longer. The largest residual is {0}.',
            formatDeviation(largest(timed).residual),
          ),
    );
    if (timed.length > 0) {
      const all = timed.flatMap(({ predictedMs, measuredMs }) => [predictedMs, measuredMs]);
      const [least, most] = [Math.min(...all), Math.max(...all)];
      this.#chart.show({
        description: t('Measured against predicted time: {0}.', timed.map(pointText).join('; ')),
        x: { title: t('time, predicted'), scale: 'logarithmic', format: formatDuration },
        y: { title: t('time, measured'), scale: 'logarithmic', format: formatDuration },
        points: timed.map((point) => ({
          x: point.predictedMs,
          y: point.measuredMs,
          low: null,
          high: null,
          mark: point.mark,
          label: point.label,
          note: pointText(point),
          faded: false,
        })),
        line: [least / 1.3, most * 1.3].map((value) => ({ x: value, y: value })),
        stepped: false,
      });
    }
    this.#table.update(
      timed.map((point) => ({
        cells: [
          words(point.title),
          duration(point.predictedMs),
          duration(point.measuredMs),
          { text: formatDeviation(point.residual), value: point.residual },
          words(point.within === null ? '–' : point.within ? t('yes') : t('no')),
        ],
      })),
    );
  }
}

function largest(points: readonly TimedPoint[]): TimedPoint {
  return points.reduce((most, point) => (Math.abs(point.residual) > Math.abs(most.residual) ? point : most));
}

function pointText({ title, predictedMs, measuredMs, residual }: TimedPoint): string {
  return t(
    '{0}: {1} predicted, {2} measured, {3}',
    title,
    formatDuration(predictedMs),
    formatDuration(measuredMs),
    formatDeviation(residual),
  );
}
