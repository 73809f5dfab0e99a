import type { LabPoint } from '../../src/core/lab/frontier';
import { type DeviceRoof, roofLine, type RooflinePoint, rooflinePoints } from '../../src/core/lab/roofline';
import { formatDuration, formatFlops, formatShare } from '../../src/core/format';
import { element, setText, setVisible } from '../dom';
import type { Folds } from '../host';
import { t } from '../l10n';
import type { ThemeWatcher } from '../theme';
import { dataBehind } from '../ui/section';
import { count, flops, share, words } from '../ui/shown';
import { DataTable } from '../ui/tables';
import { Scatter } from './scatter';

/** How much of the calibrated machine the runs used: work a second against work of a native run, under the machine's roof. */
export class Roofline {
  readonly element: HTMLElement;
  readonly #chart: Scatter;
  readonly #note = element('p', { class: 'note', 'data-testid': 'roofline-note' });
  readonly #table = new DataTable(
    t('Runs under the machine’s roof'),
    [
      { title: t('Scenario') },
      { title: t('Native runs'), numeric: true },
      { title: t('Work of a native run'), numeric: true },
      { title: t('Work a second'), numeric: true },
      { title: t('Share of the roof'), numeric: true },
    ],
    { 'data-testid': 'roofline-table' },
  );

  constructor(host: Folds, theme: ThemeWatcher) {
    this.#chart = new Scatter(theme, 'roofline-chart');
    this.element = element(
      'div',
      { class: 'predicted' },
      element('h3', {}, t('Under the machine’s roof')),
      this.#chart.element,
      this.#note,
      dataBehind(host, 'roofline', t('Runs under the machine’s roof as a table'), this.#table.element),
    );
  }

  /** Shows other runs, or hides where none was made on a calibrated device. @param roof null where it is not known */
  show(points: readonly LabPoint[], roof: DeviceRoof | null): void {
    const runs = roof === null ? [] : rooflinePoints(points, roof);
    setVisible(this.element, runs.length > 0);
    if (roof === null || runs.length === 0) {
      return;
    }
    const best = runs.reduce((most, run) => (run.share > most.share ? run : most));
    setText(
      this.#note,
      t(
        'The line is what the calibration allows: left of its corner the {0} that starting a native run takes bound the work a second, right of it the {1} a second of the best matrix product. The nearest run reaches {2} of it: {3}.',
        formatDuration(roof.runMs),
        formatFlops(roof.peakFlops),
        formatShare(best.share),
        best.title,
      ),
    );
    this.#chart.show({
      description: t('Work a second against work of a native run: {0}.', runs.map(runText).join('; ')),
      x: { title: t('work of a native run'), scale: 'logarithmic', format: formatFlops },
      y: { title: t('work a second'), scale: 'logarithmic', format: formatFlops },
      points: runs.map((run) => ({
        x: run.flopsPerRun,
        y: run.flopsPerSecond,
        low: null,
        high: null,
        mark: run.mark,
        label: run.label,
        note: runText(run),
        faded: false,
      })),
      line: roofLine(roof, runs[0].flopsPerRun / 8, runs[runs.length - 1].flopsPerRun * 8),
      stepped: false,
    });
    this.#table.update(
      runs.map((run) => ({
        cells: [words(run.title), count(run.made?.nativeRuns ?? 0), flops(run.flopsPerRun), flops(run.flopsPerSecond), share(run.share)],
      })),
    );
  }
}

function runText({ title, flopsPerRun, flopsPerSecond, share: part }: RooflinePoint): string {
  return t(
    '{0}: {1} a second in native runs of {2}, {3} of the roof',
    title,
    formatFlops(flopsPerSecond),
    formatFlops(flopsPerRun),
    formatShare(part),
  );
}
