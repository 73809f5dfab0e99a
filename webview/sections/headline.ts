import { planHeadline } from '../../src/core/hints/hints';
import type { Plan } from '../../src/core/plan/plan';
import type { PanelSnapshot } from '../../src/protocol/panel';
import { element, setText, setVisible } from '../dom';
import { Figures } from '../ui/figures';
import { bytes, count, flops, words } from '../ui/shown';
import type { View } from '../ui/view';

/** The page's head: which prompt, and what its plan costs. */
export class Headline implements View {
  readonly #document = element('h1', { 'data-testid': 'document' });
  readonly #headline = element('p', { class: 'headline', 'data-testid': 'headline' });
  readonly #figures = new Figures({
    total: { label: 'Calls', testId: 'calls-total', title: 'Calls of the small transformer, over all layers' },
    attention: { label: 'Attention calls', testId: 'calls-attention' },
    tokenwise: { label: 'Token-wise calls', testId: 'calls-tokenwise', title: 'Projections, output projection and MLP' },
    bound: { label: 'Bound', testId: 'bound-calls' },
    construction: { label: 'Construction', testId: 'construction', title: 'How the small transformer is called' },
    flops: { label: 'Work', testId: 'flops', title: 'Floating-point operations of all layers' },
    bytes: { label: 'Memory, estimated', testId: 'bytes', title: 'Peak memory of a run' },
  });
  readonly #bound = element('p', { class: 'note', 'data-testid': 'bound' });
  readonly #notes = element('ul', { class: 'notes', 'data-testid': 'notes' });
  readonly #plan = element('div', { class: 'plan' }, this.#figures.element, this.#bound, this.#notes);
  readonly element = element('header', {}, this.#document, this.#headline, this.#plan);

  update({ document, plan, formError }: PanelSnapshot): void {
    setText(this.#document, document ?? 'No prompt open');
    setText(this.#headline, headlineOf(document, plan, formError));
    setVisible(this.#plan, plan !== null);
    if (plan !== null) {
      this.#showPlan(plan);
    }
  }

  #showPlan(plan: Plan): void {
    const { calls, bound, notes, construction } = plan;
    this.#figures.update({
      total: count(calls.total),
      attention: count(calls.attention),
      tokenwise: count(calls.tokenwise),
      bound: { ...count(bound.calls), title: `${bound.theorem}: ${bound.formula}` },
      construction: construction === 'fused' ? null : words(construction),
      flops: flops(plan.flops),
      bytes: bytes(plan.bytes),
    });
    setText(this.#bound, `Bound on attention calls, ${bound.theorem}: ${bound.formula}`);
    if (notes.join('\n') !== Array.from(this.#notes.children, ({ textContent }) => textContent).join('\n')) {
      this.#notes.replaceChildren(...notes.map((note) => element('li', {}, note)));
    }
    setVisible(this.#notes, notes.length > 0);
  }
}

function headlineOf(document: string | null, plan: Plan | null, formError: string | null): string {
  if (document === null) {
    return 'Open a Markdown, plain text or .prompt file to see what it costs.';
  }
  if (plan !== null) {
    return planHeadline(plan);
  }
  return formError === null ? 'Planning…' : 'No plan: the scenario below needs a change.';
}
