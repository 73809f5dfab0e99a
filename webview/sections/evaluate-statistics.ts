import type { ExperimentSummary, SummedPoint } from '../../src/core/evaluate/report';
import { pointTitle, statisticsRows } from '../../src/core/evaluate/rows';
import type { QualitySummary } from '../../src/core/evaluate/quality-summary';
import { element, setVisible } from '../dom';
import { t } from '../l10n';
import { FreeTable } from '../ui/free-table';
import { words } from '../ui/shown';
import { qualityName } from './quality-names';

/** A point with the quality that was measured of it. */
export type MeasuredPoint = SummedPoint & { readonly quality: QualitySummary };

/** Quality over all positions, a column for every scenario. */
export class QualityStatistics {
  readonly #table = new FreeTable(t('Quality over all positions'), 'quality-statistics');
  readonly element = element(
    'div',
    { class: 'subsection' },
    element('h3', {}, t('Over all positions, with standard errors')),
    element(
      'div',
      { class: 'wide-scroller', role: 'region', 'aria-label': t('Quality over all positions'), tabindex: 0 },
      this.#table.element,
    ),
  );

  /** Shows the points that were measured. */
  show(points: readonly MeasuredPoint[], { experiment }: ExperimentSummary): void {
    setVisible(this.element, points.length > 0);
    this.#table.update(
      [{ title: t('Measure') }, ...points.map((point) => ({ title: pointTitle(point, experiment), numeric: true }))],
      statisticsRows(points.map(({ quality }) => quality)).map(([name, ...cells]) => ({
        attributes: { class: name.startsWith(' ') ? 'part' : null },
        cells: [words(qualityName(name)), ...cells.map((cell) => words(cell))],
      })),
    );
  }
}
