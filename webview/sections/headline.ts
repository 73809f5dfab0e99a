import { planHeadline } from '../../src/core/hints/hints';
import type { Plan } from '../../src/core/plan/plan';
import type { PanelSnapshot } from '../../src/protocol/panel';
import { element, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { Figures } from '../ui/figures';
import { bytes, count, duration, flops, words } from '../ui/shown';
import { button } from '../ui/toolkit';
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
    bytes: { label: 'Tensors', testId: 'bytes', title: 'Memory of a run’s tensors at their peak' },
    time: { label: 'Time, expected', testId: 'expected-time', title: 'From this machine’s calibration' },
    peak: { label: 'Memory, expected', testId: 'expected-memory', title: 'Peak of the whole process, from this machine’s calibration' },
  });
  readonly #bound = element('p', { class: 'note', 'data-testid': 'bound' });
  readonly #notes = element('ul', { class: 'notes', 'data-testid': 'notes' });
  readonly #calibrate: HTMLElement;
  readonly #plan: HTMLElement;
  readonly element: HTMLElement;

  constructor(host: Host) {
    const measure = button('Calibrate this machine', 'secondary', { 'data-testid': 'calibrate' }, () => host.post({ type: 'calibrate' }));
    this.#calibrate = element('p', { class: 'note' }, 'Time is not known before this machine is calibrated. ', measure);
    this.#plan = element('div', { class: 'plan' }, this.#figures.element, this.#calibrate, this.#bound, this.#notes);
    this.element = element('header', {}, this.#document, this.#headline, this.#plan);
  }

  update({ document, plan, prediction, formError, activity }: PanelSnapshot): void {
    setText(this.#document, document ?? 'No prompt open');
    setText(this.#headline, headlineOf(document, plan, formError));
    setVisible(this.#plan, plan !== null);
    setVisible(this.#calibrate, prediction === null && plan?.construction === 'fused' && activity.state !== 'running');
    if (plan !== null) {
      this.#showPlan(plan, prediction);
    }
  }

  #showPlan(plan: Plan, prediction: PanelSnapshot['prediction']): void {
    const { calls, bound, notes, construction } = plan;
    this.#figures.update({
      total: count(calls.total),
      attention: count(calls.attention),
      tokenwise: count(calls.tokenwise),
      bound: { ...count(bound.calls), title: `${bound.theorem}: ${bound.formula}` },
      construction: construction === 'fused' ? null : words(construction),
      flops: flops(plan.flops),
      bytes: bytes(plan.bytes),
      time: prediction === null ? null : duration(prediction.wallMs),
      peak: prediction === null ? null : bytes(prediction.peakBytes),
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
