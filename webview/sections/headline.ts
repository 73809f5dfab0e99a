import { planHeadline } from '../../src/core/hints/hints';
import type { Plan } from '../../src/core/plan/plan';
import type { PanelSnapshot } from '../../src/protocol/panel';
import { element, setAttributes, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import { VerdictLine } from '../ui/verdict';
import type { View } from '../ui/section';
import { planNotes } from './plan';

/** The panel's head: the prompt, its plan in a line and what a reader must know of it. */
export class Headline implements View {
  readonly #document = element('h1', { 'data-testid': 'document' });
  readonly #headline = element('p', { class: 'headline', 'data-testid': 'headline' });
  readonly #notes = element('button', { class: 'link one-line', type: 'button', 'data-testid': 'glance-notes' });
  /** Only where the newest run of the prompt failed. */
  readonly #failed = new VerdictLine('headline-verdict');
  readonly element: HTMLElement;

  constructor(host: Host) {
    this.#notes.addEventListener('click', () => host.post({ type: 'open-lab', part: 'plan' }));
    this.element = element('header', {}, this.#document, this.#headline, this.#failed.element, this.#notes);
  }

  update(snapshot: PanelSnapshot): void {
    const { document, plan, formError } = snapshot;
    setText(this.#document, document ?? t('No prompt in front'));
    setText(this.#headline, headlineOf(document, plan, formError));
    setAttributes(this.#headline, { title: plan === null ? null : this.#headline.textContent });
    const verdict = snapshot.runs.find(({ current }) => current)?.report.verdict;
    this.#failed.show(verdict?.kind === 'failed' ? verdict : undefined);
    const notes = planNotes(snapshot);
    setVisible(this.#notes, notes.length > 0);
    setText(this.#notes, notes.join(' '));
    setAttributes(this.#notes, { title: notes.join('\n') });
  }
}

function headlineOf(document: string | null, plan: Plan | null, formError: string | null): string {
  if (document === null) {
    return t('Open a prompt, or choose Treat as Prompt in another text, to see what it costs.');
  }
  if (plan !== null) {
    return planHeadline(plan);
  }
  return formError === null ? t('Planning…') : t('Fix the scenario to see a plan.');
}
