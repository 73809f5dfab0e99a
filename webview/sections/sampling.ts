import { formatCount, formatFigure, formatNumberOf } from '../../src/core/format';
import type { SamplingReport } from '../../src/core/report/sampling';
import { element, setText } from '../dom';
import { t } from '../l10n';
import { Figures } from '../ui/tables';
import { count, errorSize, figure, figureRange, logCount, logFigureRange } from '../ui/shown';

/** Theorem 4.1: its assumption, whether it holds on this data, and the error over many samples. */
export class SamplingSummary {
  readonly #data: HTMLElement;
  readonly #figures;
  readonly element: HTMLElement;

  /** @param prefix of the parts' `data-testid` */
  constructor(prefix: string) {
    const id = (name: string): string => `${prefix}-${name}`;
    this.#data = element('p', { class: 'note', 'data-testid': id('data') });
    this.#figures = new Figures({
      c: { label: t('C, over heads'), testId: id('c'), title: t('Every score a_ij lies between 1/C and C') },
      d: { label: t('D, over heads'), testId: id('d'), title: t('D N max_j |b_ij| is at most |sum_j b_ij|') },
      sample: { label: t('Keys sampled, M'), testId: id('sample'), title: t('Keys that a query block reads') },
      needed: { label: t('M needed'), testId: id('needed'), title: t('The M that guarantees epsilon in the most demanding head') },
      epsilon: { label: t('Epsilon'), testId: id('epsilon'), title: t('The relative error to be guaranteed') },
      failure: { label: t('Failure probability'), testId: id('failure'), title: t('Probability that the guarantee fails') },
      within: { label: t('Seeds within epsilon'), testId: id('within') },
      least: { label: t('Error, smallest'), testId: id('error-minimum'), title: t('Largest relative error of a row, over seeds') },
      median: { label: t('Error, median'), testId: id('error-median') },
      ninetieth: { label: t('Error, 90th percentile'), testId: id('error-ninetieth'), title: t('Nine in ten seeds stay under it') },
      most: { label: t('Error, largest'), testId: id('error-maximum') },
    });
    this.element = element(
      'section',
      { class: 'subsection', 'aria-label': t('Theorem 4.1'), 'data-testid': prefix },
      element('h3', {}, t('Theorem 4.1 over many samples')),
      this.#data,
      this.#figures.element,
    );
  }

  /** Shows the promised and the observed values. */
  show({
    data,
    tokens,
    sample,
    epsilon,
    failureProbability,
    rows,
    heads,
    holds,
    logNeededLength,
    seeds,
    errors,
    within,
  }: SamplingReport): void {
    const looked = t(
      '{0}, {1} of {2} examined: {3}.',
      formatNumberOf(tokens, 'token'),
      formatNumberOf(rows, 'row'),
      formatNumberOf(heads.length, 'head'),
      data,
    );
    const assumption = t(
      holds ? 'The assumption holds here for an error of {0}.' : 'The assumption does not hold here for an error of {0}.',
      formatFigure(epsilon),
    );
    setText(this.#data, `${looked} ${assumption}`);
    this.#figures.update({
      c: logFigureRange(heads.map(({ logC }) => logC)),
      d: figureRange(heads.map(({ d }) => d)),
      sample: count(sample),
      needed: logCount(logNeededLength),
      epsilon: figure(epsilon),
      failure: figure(failureProbability),
      within: { text: t('{0} of {1}', formatCount(within), formatCount(seeds)), value: within },
      least: errorSize(errors.minimum),
      median: errorSize(errors.median),
      ninetieth: errorSize(errors.ninetiethPercentile),
      most: errorSize(errors.maximum),
    });
  }
}
