import { planHeadline } from '../../src/core/hints/hints';
import { cacheDetail, weightsDetail } from '../../src/core/plan/cache';
import type { Plan } from '../../src/core/plan/plan';
import { parameterCount } from '../../src/core/shapes';
import type { PanelSnapshot } from '../../src/protocol/panel';
import { element, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import { Figures } from '../ui/tables';
import { bytes, count, duration, flops, words } from '../ui/shown';
import { button } from '../ui/toolkit';
import type { View } from '../ui/section';

/** The page's head: the prompt and the cost of its plan. */
export class Headline implements View {
  readonly #document = element('h1', { 'data-testid': 'document' });
  readonly #headline = element('p', { class: 'headline', 'data-testid': 'headline' });
  readonly #figures = new Figures({
    total: { label: t('Calls'), testId: 'calls-total', title: t('Calls of the small transformer, over all layers') },
    attention: { label: t('Attention calls'), testId: 'calls-attention' },
    tokenwise: { label: t('Token-wise calls'), testId: 'calls-tokenwise', title: t('Projections, output projection and MLP') },
    bound: { label: t('Bound'), testId: 'bound-calls' },
    construction: { label: t('Construction'), testId: 'construction', title: t('How the small transformer is called') },
    flops: { label: t('Work'), testId: 'flops', title: t('Floating-point operations of all layers') },
    bytes: { label: t('Tensors'), testId: 'bytes', title: t('Peak memory of a run’s tensors') },
    weights: { label: t('Weights'), testId: 'weights', title: t('The model’s weights, as its files store them and as they run') },
    cache: { label: t('Key-value cache'), testId: 'cache', title: t('What the model keeps of the prompt to continue it') },
    time: { label: t('Time, expected'), testId: 'expected-time', title: t('From this machine’s calibration') },
    peak: {
      label: t('Memory, expected'),
      testId: 'expected-memory',
      title: t('Peak of the whole process, from this machine’s calibration'),
    },
  });
  readonly #bound = element('p', { class: 'note', 'data-testid': 'bound' });
  readonly #notes = element('ul', { class: 'notes', 'data-testid': 'notes' });
  readonly #calibrate: HTMLElement;
  readonly #plan: HTMLElement;
  readonly element: HTMLElement;

  constructor(host: Host) {
    const measure = button(t('Calibrate this machine'), 'secondary', { 'data-testid': 'calibrate' }, () =>
      host.post({ type: 'calibrate' }),
    );
    this.#calibrate = element('p', { class: 'note' }, t('Calibrate this machine to see the expected time.'), ' ', measure);
    this.#plan = element('div', { class: 'plan' }, this.#figures.element, this.#calibrate, this.#bound, this.#notes);
    this.element = element('header', {}, this.#document, this.#headline, this.#plan);
  }

  update(snapshot: PanelSnapshot): void {
    const { document, plan, prediction, formError, activity } = snapshot;
    setText(this.#document, document ?? t('No prompt in front'));
    setText(this.#headline, headlineOf(document, plan, formError));
    setVisible(this.#plan, plan !== null);
    setVisible(this.#calibrate, prediction === null && plan?.construction === 'fused' && activity.state !== 'running');
    if (plan !== null) {
      this.#showPlan(plan, snapshot);
    }
  }

  #showPlan(plan: Plan, { prediction, cache, storedBytes }: PanelSnapshot): void {
    const { calls, bound, notes, construction } = plan;
    this.#figures.update({
      total: count(calls.total),
      attention: count(calls.attention),
      tokenwise: count(calls.tokenwise),
      bound: { ...count(bound.calls), title: `${bound.theorem}: ${bound.formula}` },
      construction: construction === 'fused' ? null : words(construction),
      flops: flops(plan.flops),
      bytes: bytes(plan.bytes),
      weights: storedBytes === null ? null : { ...bytes(storedBytes), detail: weightsDetail(parameterCount(plan.model)) },
      cache: cache === null ? null : { ...bytes(cache.bytes.f16), detail: cacheDetail(cache) },
      time: prediction === null ? null : duration(prediction.wallMs),
      peak: prediction === null ? null : bytes(prediction.peakBytes),
    });
    setText(this.#bound, t('Bound on attention calls, {0}: {1}', bound.theorem, bound.formula));
    if (notes.join('\n') !== Array.from(this.#notes.children, ({ textContent }) => textContent).join('\n')) {
      this.#notes.replaceChildren(...notes.map((note) => element('li', {}, note)));
    }
    setVisible(this.#notes, notes.length > 0);
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
