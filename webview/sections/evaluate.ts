import type { ExperimentSummary } from '../../src/core/evaluate/report';
import { measuredPoints, qualityNotes, readText, verdictNotes } from '../../src/core/evaluate/rows';
import { element, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import type { ThemeWatcher } from '../theme';
import { tallSection } from '../ui/section';
import { QualityCurves } from './evaluate-curves';
import { QualityStatistics } from './evaluate-statistics';

/** Quality of scenarios: by position, and over all positions. What it costs is the frontier's, and retrieval the needles'. */
export class Quality {
  readonly element: HTMLDetailsElement;
  readonly #read = element('p', { class: 'note', 'data-testid': 'quality-read' });
  readonly #notes = element('ul', { class: 'notes', 'data-testid': 'quality-notes' });
  readonly #verdicts = element('ul', { class: 'notes', 'data-testid': 'quality-verdicts', 'aria-label': t('Verdict') });
  readonly #statistics = new QualityStatistics();
  readonly #curves: QualityCurves;

  constructor(host: Host, theme: ThemeWatcher) {
    this.#curves = new QualityCurves(host, theme);
    const parts = [this.#read, this.#verdicts, this.#notes, this.#curves.element, this.#statistics.element];
    const body = element('div', { class: 'quality-body', 'data-testid': 'quality' }, ...parts);
    const meaning = t(
      'How each mask changes the model’s predictions, compared with its own attention: on the current prompt, or on the texts of an experiment file.',
    );
    this.element = tallSection(host, 'lab-quality', t('Quality'), true, element('p', { class: 'note' }, meaning), body);
    this.show(null);
  }

  /** Shows another evaluation, or hides without one. */
  show(evaluation: ExperimentSummary | null): void {
    setVisible(this.element, evaluation !== null);
    if (evaluation === null) {
      return;
    }
    const notes = qualityNotes(evaluation.points);
    setText(this.#read, readText(evaluation));
    setVisible(this.#notes, notes.length > 0);
    this.#notes.replaceChildren(...notes.map((note) => element('li', {}, note)));
    this.#verdicts.replaceChildren(
      ...verdictNotes(evaluation.points, evaluation.experiment).map(({ kind, text }) => element('li', { 'data-verdict': kind }, text)),
    );
    const measured = measuredPoints(evaluation.points);
    this.#curves.show(measured, evaluation);
    this.#statistics.show(measured, evaluation);
  }
}
