import { predictionNotes } from '../../src/core/hints/expected';
import { cacheDetail, weightsDetail } from '../../src/core/plan/cache';
import { memoryDetail } from '../../src/core/predict/memory';
import type { PanelSnapshot } from '../../src/protocol/panel';
import { element, setText, setVisible } from '../dom';
import type { Folds } from '../host';
import { messageShown, t } from '../l10n';
import { tallSection, type View } from '../ui/section';
import { bytes, count, estimate, flops, words } from '../ui/shown';
import { Figures } from '../ui/tables';

/** What a reader must know of the plan in front, and of its prediction. */
export function planNotes({ plan, prediction }: PanelSnapshot): readonly string[] {
  return plan === null ? [] : [...plan.notes.map(messageShown), ...(prediction === null ? [] : predictionNotes(prediction))];
}

/** All figures of the plan, with its bound and its notes. */
export class PlanFigures implements View {
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
  readonly element: HTMLDetailsElement;

  constructor(host: Folds) {
    this.element = tallSection(host, 'plan', t('Plan'), false, this.#figures.element, this.#bound, this.#notes);
  }

  update(snapshot: PanelSnapshot): void {
    const { plan, prediction, memory, cache, storedBytes } = snapshot;
    setVisible(this.element, plan !== null);
    if (plan === null) {
      return;
    }
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
      peak: memory === null ? null : { ...bytes(memory.peak), detail: `= ${memoryDetail(memory)}` },
    });
    setText(this.#bound, t('Bound on attention calls, {0}: {1}', bound.theorem, bound.formula));
    const notes = planNotes(snapshot);
    if (notes.join('\n') !== Array.from(this.#notes.children, ({ textContent }) => textContent).join('\n')) {
      this.#notes.replaceChildren(...notes.map((note) => element('li', {}, note)));
    }
    setVisible(this.#notes, notes.length > 0);
  }
}
