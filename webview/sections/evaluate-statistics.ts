import type { QualitySummary } from '../../src/core/evaluate/quality-summary';
import type { ExperimentSummary, SummedPoint } from '../../src/core/evaluate/report';
import { pointTitle, statisticsRows } from '../../src/core/evaluate/rows';
import { element, setVisible } from '../dom';
import { t } from '../l10n';
import { words } from '../ui/shown';
import { FreeTable } from '../ui/tables';

/**
 * The translated name of a statistic, or of a curve's column; the command line prints it in English. Percentiles need no
 * translation.
 */
export function qualityName(name: string): string {
  return names()[name.trim()] ?? name.trim();
}

function names(): Readonly<Partial<Record<string, string>>> {
  return {
    perplexity: t('perplexity'),
    "perplexity, model's own attention": t("perplexity, model's own attention"),
    'ln(ratio of perplexities)': t('ln(ratio of perplexities)'),
    'ratio of perplexities': t('ratio of perplexities'),
    'KL divergence, mean (nats)': t('KL divergence, mean (nats)'),
    maximum: t('maximum'),
    median: t('median'),
    'change of the probability, mean': t('change of the probability, mean'),
    'root mean square': t('root mean square'),
    'same top token': t('same top token'),
    'within the trained length': t('within the trained length'),
    'past the trained length': t('past the trained length'),
    'at touched positions': t('at touched positions'),
    'mean of texts': t('mean of texts'),
    'touched positions': t('touched positions'),
    'bits per byte': t('bits per byte'),
    "bits per byte, model's own attention": t("bits per byte, model's own attention"),
    'word perplexity': t('word perplexity'),
    "word perplexity, model's own attention": t("word perplexity, model's own attention"),
    'interval by': t('interval by'),
    'tokens before': t('tokens before'),
    scored: t('scored'),
    loss: t('loss'),
    'own loss': t('own loss'),
    'mean KL': t('mean KL'),
    '95% interval': t('95% interval'),
    'same top': t('same top'),
  };
}

/** A point with its measured quality. */
export type MeasuredPoint = SummedPoint & { readonly quality: QualitySummary };

/** Quality over all positions, one column per scenario. */
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

  /** Shows the measured points. */
  show(points: readonly MeasuredPoint[], { experiment }: ExperimentSummary): void {
    setVisible(this.element, points.length > 0);
    this.#table.update(
      [{ title: t('Measure') }, ...points.map((point) => ({ title: pointTitle(point, experiment), numeric: true }))],
      statisticsRows(points).map(([name, ...cells]) => ({
        attributes: { class: name.startsWith(' ') ? 'part' : null },
        cells: [words(qualityName(name)), ...cells.map((cell) => words(cell))],
      })),
    );
  }
}
