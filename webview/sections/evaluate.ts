import type { ExperimentSummary } from '../../src/core/evaluate/report';
import { measuredPoints, qualityNotes, readText, verdictNotes } from '../../src/core/evaluate/rows';
import type { Progress } from '../../src/core/report/phases';
import type { PanelSnapshot } from '../../src/protocol/panel';
import { element, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import type { ThemeWatcher } from '../theme';
import { section, type View } from '../ui/section';
import { OwnTask } from '../ui/task';
import { QualityCurves } from './evaluate-curves';
import { ParetoFront } from './evaluate-front';
import { QualityStatistics } from './evaluate-statistics';
import { Retrieval } from './retrieval';

/** Quality of scenarios: by position, over all positions, on retrieval, and against cost. */
export class Quality implements View {
  readonly element: HTMLDetailsElement;
  readonly #task: OwnTask;
  readonly #empty = element('p', { class: 'note', 'data-testid': 'quality-empty' }, t('Nothing evaluated yet.'));
  readonly #read = element('p', { class: 'note', 'data-testid': 'quality-read' });
  readonly #notes = element('ul', { class: 'notes', 'data-testid': 'quality-notes' });
  readonly #verdicts = element('ul', { class: 'notes', 'data-testid': 'quality-verdicts', 'aria-label': t('Verdict') });
  readonly #statistics = new QualityStatistics();
  readonly #curves: QualityCurves;
  readonly #retrieval = new Retrieval();
  readonly #front: ParetoFront;
  readonly #body: HTMLElement;

  constructor(host: Host, theme: ThemeWatcher) {
    this.#task = new OwnTask(host, 'evaluate', 'quality', t('Evaluate quality'), { type: 'evaluate' });
    this.#curves = new QualityCurves(host, theme);
    this.#front = new ParetoFront(host, theme);
    const parts = [
      this.#read,
      this.#verdicts,
      this.#notes,
      this.#curves.element,
      this.#statistics.element,
      this.#retrieval.element,
      this.#front.element,
    ];
    this.#body = element('div', { class: 'quality-body', 'data-testid': 'quality' }, ...parts);
    const meaning = t(
      'How each mask changes the model’s predictions, compared with its own attention: on the current prompt, or on the texts of an experiment file.',
    );
    this.element = section(
      host,
      'quality',
      t('Quality'),
      element('p', { class: 'note' }, meaning),
      ...this.#task.elements,
      this.#empty,
      this.#body,
    );
    this.showEvaluation(null);
  }

  update({ document, activity }: PanelSnapshot): void {
    this.#task.update(activity, document !== null, this.element);
  }

  /** Shows new progress of the running evaluation. */
  showProgress(progress: Progress): void {
    this.#task.showProgress(progress);
  }

  /** Shows another evaluation. */
  showEvaluation(evaluation: ExperimentSummary | null): void {
    setVisible(this.#empty, evaluation === null);
    setVisible(this.#body, evaluation !== null);
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
    this.#retrieval.show(measured, evaluation);
    this.#front.show(evaluation);
  }
}
