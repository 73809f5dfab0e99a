import { predictionNotes } from '../../src/core/hints/expected';
import { planHeadline } from '../../src/core/hints/hints';
import { cacheDetail, weightsDetail } from '../../src/core/plan/cache';
import type { Plan } from '../../src/core/plan/plan';
import { memoryDetail } from '../../src/core/predict/memory';
import type { PanelSnapshot } from '../../src/protocol/panel';
import { element, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import { Figures } from '../ui/tables';
import { bytes, count, estimate, flops, words } from '../ui/shown';
import { button } from '../ui/toolkit';
import { VerdictLine } from '../ui/verdict';
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
      title: t('Peak of the whole process during a run, by what takes it'),
    },
  });
  readonly #bound = element('p', { class: 'note', 'data-testid': 'bound' });
  readonly #notes = element('ul', { class: 'notes', 'data-testid': 'notes' });
  readonly #why = element('span');
  readonly #calibrate: HTMLElement;
  readonly #plan: HTMLElement;
  /** Only where the newest run of the prompt failed. */
  readonly #failed = new VerdictLine('headline-verdict');
  readonly element: HTMLElement;

  constructor(host: Host) {
    const measure = button(t('Calibrate this machine'), 'secondary', { 'data-testid': 'calibrate' }, () =>
      host.post({ type: 'calibrate' }),
    );
    this.#calibrate = element('p', { class: 'note' }, this.#why, ' ', measure);
    this.#plan = element('div', { class: 'plan' }, this.#figures.element, this.#calibrate, this.#bound, this.#notes);
    this.element = element('header', {}, this.#document, this.#headline, this.#failed.element, this.#plan);
  }

  update(snapshot: PanelSnapshot): void {
    const { document, plan, prediction, formError, activity } = snapshot;
    setText(this.#document, document ?? t('No prompt in front'));
    setText(this.#headline, headlineOf(document, plan, formError));
    const verdict = snapshot.runs.find(({ current }) => current)?.report.verdict;
    this.#failed.show(verdict?.kind === 'failed' ? verdict : undefined);
    setVisible(this.#plan, plan !== null);
    setVisible(
      this.#calibrate,
      (prediction === null || prediction.load?.repeat === true) && plan?.construction === 'fused' && activity.state !== 'running',
    );
    setText(
      this.#why,
      prediction === null
        ? t('Calibrate this machine to see the expected time.')
        : t('Calibrate this machine again, when it is quiet, for a narrower interval.'),
    );
    if (plan !== null) {
      this.#showPlan(plan, snapshot);
    }
  }

  #showPlan(plan: Plan, { prediction, memory, cache, storedBytes }: PanelSnapshot): void {
    const { calls, bound, construction } = plan;
    this.#figures.update({
      total: count(calls.total),
      attention: count(calls.attention),
      tokenwise: count(calls.tokenwise),
      bound: { ...count(bound.calls), title: `${bound.theorem}: ${bound.formula}` },
      construction: construction === 'fused' ? null : words(construction),
      flops: flops(plan.flops),
      bytes: bytes(plan.bytes),
      weights: storedBytes === null ? null : { ...bytes(storedBytes), detail: weightsDetail(plan.model) },
      cache: cache === null ? null : { ...bytes(cache.bytes.f16), detail: cacheDetail(cache) },
      time: prediction === null ? null : estimate(prediction.wallMs, prediction.interval),
      peak: memory === null ? null : { ...bytes(memory.peak), detail: memoryDetail(memory) },
    });
    setText(this.#bound, t('Bound on attention calls, {0}: {1}', bound.theorem, bound.formula));
    const notes = [...plan.notes, ...(prediction === null ? [] : predictionNotes(prediction))];
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
