import { formatCount, formatFigure, formatNumberOf } from '../../src/core/format';
import type { SamplingReport } from '../../src/core/report/sampling';
import { element, setText } from '../dom';
import { Figures } from '../ui/figures';
import { count, errorSize, figure, figureRange, logCount, logFigureRange } from '../ui/shown';

/** Theorem 4.1: what its assumption asks for, whether it holds on the data at hand, and the error over many samples. */
export class SamplingSummary {
  readonly #data: HTMLElement;
  readonly #figures;
  readonly element: HTMLElement;

  /** @param prefix of the parts' `data-testid` */
  constructor(prefix: string) {
    const id = (name: string): string => `${prefix}-${name}`;
    this.#data = element('p', { class: 'note', 'data-testid': id('data') });
    this.#figures = new Figures({
      c: { label: 'C, over heads', testId: id('c'), title: 'Every score a_ij lies between 1/C and C' },
      d: { label: 'D, over heads', testId: id('d'), title: 'D N max_j |b_ij| is at most |sum_j b_ij|' },
      sample: { label: 'Keys sampled, M', testId: id('sample'), title: 'Keys that a query block reads' },
      needed: { label: 'M needed', testId: id('needed'), title: 'The M that guarantees epsilon, in the head that asks most' },
      epsilon: { label: 'Epsilon', testId: id('epsilon'), title: 'The relative error to be guaranteed' },
      failure: { label: 'May fail with', testId: id('failure'), title: 'Probability with which the guarantee may fail' },
      within: { label: 'Seeds within epsilon', testId: id('within') },
      least: { label: 'Error, smallest', testId: id('error-minimum'), title: 'Largest relative error of a row, over seeds' },
      median: { label: 'Error, median', testId: id('error-median') },
      ninetieth: { label: 'Error, 90th percentile', testId: id('error-ninetieth'), title: 'Nine in ten seeds stay under it' },
      most: { label: 'Error, largest', testId: id('error-maximum') },
    });
    this.element = element(
      'section',
      { class: 'subsection', 'aria-label': 'Theorem 4.1', 'data-testid': prefix },
      element('h3', {}, 'Theorem 4.1 over many samples'),
      this.#data,
      this.#figures.element,
    );
  }

  /** Shows what was promised and what was seen. */
  show({ data, tokens, sample, epsilon, failureProbability, rows, heads, holds, logNeededLength, seeds, errors, within }: SamplingReport): void {
    setText(
      this.#data,
      `${formatNumberOf(tokens, 'token')}, ${formatNumberOf(rows, 'row')} of ${formatNumberOf(heads.length, 'head')} looked at: ${data}. ` +
        `The assumption ${holds ? 'holds' : 'does not hold'} here for an error of ${formatFigure(epsilon)}.`,
    );
    this.#figures.update({
      c: logFigureRange(heads.map(({ logC }) => logC)),
      d: figureRange(heads.map(({ d }) => d)),
      sample: count(sample),
      needed: logCount(logNeededLength),
      epsilon: figure(epsilon),
      failure: figure(failureProbability),
      within: { text: `${formatCount(within)} of ${formatCount(seeds)}`, value: within },
      least: errorSize(errors.minimum),
      median: errorSize(errors.median),
      ninetieth: errorSize(errors.ninetiethPercentile),
      most: errorSize(errors.maximum),
    });
  }
}
