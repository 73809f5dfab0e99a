import { experimentHeadline, type HeadlineFigure, promptHeadline, runHeadline } from '../../src/core/lab/headline';
import { planHeadline } from '../../src/core/hints/hints';
import { scenarioLabel } from '../../src/core/scenario/scenario';
import type { LabExperiment, LabPageMessage, LabSnapshot } from '../../src/protocol/lab';
import { element, setAttributes, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import { RunProgress } from '../ui/task';
import { button } from '../ui/toolkit';

/** The head of the lab: what it is of, its figures, and what can be done with it. */
export class LabHeadline {
  readonly element: HTMLElement;
  readonly #document = element('h1', { 'data-testid': 'lab-document' });
  readonly #line = element('p', { class: 'headline', 'data-testid': 'lab-line' });
  readonly #figures = element('dl', { class: 'headline-figures', 'data-testid': 'lab-figures' });
  readonly #error = element('p', { class: 'error', role: 'alert', 'data-testid': 'lab-error' });
  readonly #progress = new RunProgress('lab-');
  readonly #buttons;
  #running: string | null = null;

  constructor(host: Host, showShortcuts: () => void) {
    const press = (label: string, name: string, message: LabPageMessage, primary = false): ReturnType<typeof button> =>
      button(label, primary ? 'primary' : 'secondary', { 'data-testid': `lab-${name}` }, () => host.post(message));
    this.#buttons = {
      run: press(t('Run'), 'run', { type: 'run' }, true),
      measure: press(t('Measure where attention goes'), 'measure', { type: 'measure' }),
      compare: press(t('Compare scenarios'), 'compare', { type: 'compare' }),
      evaluate: press(t('Evaluate quality'), 'evaluate', { type: 'evaluate' }),
      cancel: press(t('Cancel'), 'cancel', { type: 'cancel' }),
      text: press(t('Open as text'), 'text', { type: 'open-text' }),
      shortcuts: button(
        '?',
        'secondary',
        { 'data-testid': 'lab-shortcuts', 'aria-label': t('Shortcuts'), title: t('Shortcuts (?)') },
        showShortcuts,
      ),
    };
    const { run, measure, compare, evaluate, cancel, text, shortcuts } = this.#buttons;
    this.element = element(
      'header',
      {},
      this.#document,
      this.#line,
      this.#error,
      this.#figures,
      element('div', { class: 'buttons' }, run, measure, compare, evaluate, cancel, text, shortcuts),
      this.#progress.element,
    );
  }

  /** Shows what the lab is of. */
  show(snapshot: LabSnapshot, experiment: LabExperiment | null): void {
    const { subject, document, error, plan, activity } = snapshot;
    setText(this.#document, document ?? t('No prompt in front'));
    setText(this.#line, lineOf(snapshot, experiment));
    const failure = error ?? (activity.state === 'failed' ? activity.message : null);
    setVisible(this.#error, failure !== null);
    setText(this.#error, failure ?? '');
    this.#showFigures(figuresOf(snapshot, experiment));
    const busy = activity.state === 'running';
    const { run, measure, compare, evaluate, cancel, text } = this.#buttons;
    const hadFocus = this.element.contains(window.document.activeElement);
    setVisible(run, subject !== 'runs');
    [measure, compare, evaluate].forEach((each) => setVisible(each, subject === 'prompt'));
    setVisible(text, subject !== 'prompt');
    const ready = !busy && (subject === 'prompt' ? plan !== null : error === null);
    [run, measure, compare, evaluate].forEach((each) => (each.disabled = !ready));
    setVisible(cancel, busy);
    setVisible(this.#progress.element, busy);
    if (busy) {
      this.#progress.show(activity.title, activity.progress);
    }
    // The pressed button is disabled when a run starts, and Cancel is gone when it ends: the other takes the focus.
    if (hadFocus && busy !== (this.#running !== null)) {
      (busy ? cancel : run).focus();
    }
    this.#running = busy ? activity.title : null;
  }

  /** Shows new progress of what is running. */
  showProgress(progress: Parameters<RunProgress['show']>[1]): void {
    if (this.#running !== null) {
      this.#progress.show(this.#running, progress);
    }
  }

  #showFigures(figures: readonly HeadlineFigure[]): void {
    setVisible(this.#figures, figures.length > 0);
    const before = [...this.#figures.children];
    const same =
      before.length === figures.length && before.every((each, index) => each.getAttribute('data-figure') === figures[index].name);
    if (!same) {
      this.#figures.replaceChildren(
        ...figures.map(({ name }) =>
          element(
            'div',
            { 'data-figure': name },
            element('dt'),
            element('dd', { class: 'value', 'data-testid': `lab-${name}` }),
            element('dd', { class: 'note' }),
          ),
        ),
      );
    }
    figures.forEach(({ title, text, detail, state }, index) => {
      const group = this.#figures.children[index];
      const [name, value, note] = group.children;
      setAttributes(group, { 'data-state': state });
      setText(name, title);
      setText(value, text);
      setText(note, detail);
      setAttributes(note, { title: detail });
    });
  }
}

function figuresOf(
  { subject, plan, prediction, memory, current }: LabSnapshot,
  experiment: LabExperiment | null,
): readonly HeadlineFigure[] {
  if (subject === 'experiment') {
    return experiment?.outlook == null ? [] : experimentHeadline(experiment.outlook, experiment.evaluation);
  }
  if (subject === 'runs') {
    return current === null ? [] : runHeadline(current);
  }
  return plan === null ? [] : promptHeadline(plan, prediction, memory, current ?? undefined);
}

function lineOf({ subject, document, plan, error, current, runs }: LabSnapshot, experiment: LabExperiment | null): string {
  switch (subject) {
    case 'prompt':
      return document === null
        ? t('Open a prompt to see where its attention goes and what its scenarios cost.')
        : plan === null
          ? error === null
            ? t('Planning…')
            : ''
          : planHeadline(plan);
    case 'experiment':
      return experiment?.outlook == null
        ? error === null
          ? t('Reading the experiment…')
          : ''
        : t(
            '{0}: {1} scenarios, blocks of {2}',
            experiment.outlook.model,
            experiment.outlook.experiment.scenarios.length,
            experiment.outlook.experiment.blocks.join(', '),
          );
    case 'runs':
      return current === null ? '' : t('{0} of {1}, newest: {2}', runs.length, current.model.name, scenarioLabel(current.scenario));
  }
}
