import { formatShare } from '../../src/core/format';
import { isSampled } from '../../src/core/scenario/scenario';
import type { RunReport } from '../../src/core/report/report';
import { element, setText, setVisible } from '../dom';
import { t } from '../l10n';
import { Figures } from '../ui/figures';
import { count, errorSize, figure, words } from '../ui/shown';

/** Two numbers that must never be mixed, side by side: is the decomposition right, and what does the mask cost? */
export class FidelityAndQuality {
  readonly #fidelity = new Figures({
    maxAbs: { label: t('Max absolute error'), testId: 'fidelity-max-abs-error', title: t('Largest difference of an output component') },
    maxRel: { label: t('Max relative error'), testId: 'fidelity-max-rel-error', title: t('Relative to the exact row’s largest component') },
    normaliser: { label: t('Log-normaliser error'), testId: 'fidelity-log-normaliser-error', title: t('Natural logarithm') },
    rows: { label: t('Rows compared'), testId: 'fidelity-rows', title: t('Query rows per head and layer') },
    reference: { label: t('Reference'), testId: 'fidelity-reference' },
  });
  readonly #unverified = element('p', { 'data-testid': 'fidelity-none' }, t('This run was not verified.'));
  readonly #sampling = element('p', { class: 'note' }, t('Average case estimates full attention, so this is the error of sampling.'));
  readonly #quality = new Figures({
    perplexity: { label: t('Perplexity'), testId: 'quality-perplexity', title: t('Under this scenario') },
    baseline: { label: t('Perplexity, full causal'), testId: 'quality-baseline-perplexity' },
    meanKl: {
      label: t('Mean KL, nats'),
      testId: 'quality-mean-kl',
      title: t('KL(the model’s own attention || this scenario) of the next token'),
    },
    agreement: {
      label: t('Same top token'),
      testId: 'quality-top-agreement',
      title: t('Share of positions at which both have the same most likely next token'),
    },
    positions: { label: t('Predictions scored'), testId: 'quality-positions' },
  });
  readonly #note = element('p', { 'data-testid': 'quality-note' });
  readonly element = element(
    'div',
    { class: 'pair' },
    element(
      'section',
      { class: 'subsection', 'aria-label': t('Fidelity') },
      element('h3', {}, t('Fidelity')),
      element(
        'p',
        { class: 'note' },
        t('Fidelity is how close the simulated attention is to exact float64 attention under the same mask.'),
      ),
      this.#sampling,
      this.#fidelity.element,
      this.#unverified,
    ),
    element(
      'section',
      { class: 'subsection', 'aria-label': t('Quality') },
      element('h3', {}, t('Quality')),
      element(
        'p',
        { class: 'note' },
        t(
          'Quality is what the mask itself does to the model, against the same model under its own attention (full causal attention for a Llama).',
        ),
      ),
      this.#quality.element,
      this.#note,
    ),
  );

  /** Shows what a run says of itself. */
  show({ fidelity, quality, qualityNote, scenario }: RunReport): void {
    setVisible(this.#fidelity.element, fidelity !== null);
    setVisible(this.#unverified, fidelity === null);
    setVisible(this.#sampling, isSampled(scenario));
    if (fidelity !== null) {
      this.#fidelity.update({
        maxAbs: errorSize(fidelity.maxAbsError),
        maxRel: errorSize(fidelity.maxRelError),
        normaliser: errorSize(fidelity.logNormaliserError),
        rows: count(fidelity.rows),
        reference: words(fidelity.reference),
      });
    }
    setVisible(this.#quality.element, quality !== null);
    setVisible(this.#note, quality === null);
    setText(this.#note, qualityNote ?? t('Quality was not measured in this run.'));
    if (quality !== null) {
      this.#quality.update({
        perplexity: figure(quality.perplexity),
        baseline: figure(quality.baselinePerplexity),
        meanKl: figure(quality.meanKl),
        agreement: words(formatShare(quality.topAgreement)),
        positions: count(quality.positions),
      });
    }
  }
}
