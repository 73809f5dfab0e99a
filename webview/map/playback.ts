import { callOrder, type CallOrder, type OrderStep } from '../../src/core/plan/call-order';
import type { Plan } from '../../src/core/plan/plan';
import { element, setAttributes, setText, setVisible } from '../dom';
import { t } from '../l10n';
import { button } from '../ui/toolkit';
import { stepSentence } from './wording';

/** Calls `listener` now and at every change: whether the system or VS Code asks for reduced motion. */
function onReducedMotion(listener: (reduced: boolean) => void): void {
  const query = window.matchMedia('(prefers-reduced-motion: reduce)');
  let last: boolean | undefined;
  const read = (): void => {
    // VS Code sets its own setting as a class on the page's body.
    const reduced = query.matches || document.body.classList.contains('vscode-reduce-motion');
    if (reduced !== last) {
      last = reduced;
      listener(reduced);
    }
  };
  query.addEventListener('change', read);
  new MutationObserver(read).observe(document.body, { attributeFilter: ['class'] });
  read();
}

/** Duration of one step if there are few, and the shortest and longest duration of all steps together, in milliseconds. */
const stepMs = 250;
const leastMs = 5000;
const mostMs = 10_000;

/** Duration of playing `steps` steps: long enough to follow, and bounded however many there are. */
export function playingMs(steps: number): number {
  return Math.min(mostMs, Math.max(leastMs, steps * stepMs));
}

/** The step to show `elapsedMs` after step `first` was shown: 0-based; the last step at the end. */
export function stepAfter(elapsedMs: number, first: number, steps: number): number {
  return Math.min(steps - 1, first + Math.floor((elapsedMs * steps) / playingMs(steps)));
}

/** Plays the order in which a run reads the tiles: automatically, step by step, or at the slider's position. */
export class Playback {
  readonly #play = button(t('Play'), 'secondary', { 'data-testid': 'play' }, () =>
    this.#started === null ? this.#start() : this.#pause(),
  );
  readonly #back = button(
    '‹',
    'secondary',
    { 'aria-label': t('Previous step'), title: t('Previous step'), 'data-testid': 'step-back' },
    () => this.#stepBy(-1),
  );
  readonly #on = button('›', 'secondary', { 'aria-label': t('Next step'), title: t('Next step'), 'data-testid': 'step-on' }, () =>
    this.#stepBy(1),
  );
  readonly #slider = element('input', {
    type: 'range',
    min: 0,
    step: 1,
    'aria-label': t('Step of the run'),
    'data-testid': 'play-position',
  });
  readonly #leave = button(t('Show all'), 'secondary', { 'data-testid': 'play-leave' }, () => {
    this.#leaveOrder();
    // The pressed button is hidden now.
    this.#on.focus();
  });
  readonly #sentence = element('p', { class: 'note', 'data-testid': 'play-step', 'aria-live': 'off' });
  readonly element = element(
    'div',
    { class: 'playback', role: 'group', 'aria-label': t('Order of the calls') },
    element(
      'div',
      { class: 'toolbar' },
      element('span', { class: 'note' }, t('Calls in order')),
      this.#play,
      this.#back,
      this.#on,
      this.#slider,
      this.#leave,
    ),
    this.#sentence,
  );
  readonly #onStep: (step: OrderStep | null) => void;
  #plan: Plan | null = null;
  #ran = false;
  /** Computed at first use: it takes longer than a plan. */
  #order: CallOrder | null = null;
  /** The step shown, or null while the whole map is shown. */
  #step: number | null = null;
  /** When playback began, and at which step; null while it is paused. */
  #started: { readonly at: number; readonly step: number } | null = null;
  #frame = 0;

  constructor(onStep: (step: OrderStep | null) => void) {
    this.#onStep = onStep;
    this.#slider.addEventListener('input', () => {
      // Read it first: pausing resets the slider to the step shown.
      const step = this.#slider.valueAsNumber;
      this.#pause();
      this.#show(step);
    });
    onReducedMotion((reduced) => {
      this.#pause();
      setVisible(this.#play, !reduced);
    });
  }

  /** Switches to another plan. */
  show(plan: Plan): void {
    this.#plan = plan;
    this.#order = null;
    this.#leaveOrder();
  }

  /** Sets whether the order is that of an actual run. */
  showRan(ran: boolean): void {
    this.#ran = ran;
    this.#tell();
  }

  #start(): void {
    const { steps } = this.#orderNow();
    const step = this.#step === null || this.#step >= steps - 1 ? 0 : this.#step;
    this.#started = { at: performance.now(), step };
    this.#show(step);
    this.#frame = window.requestAnimationFrame((now) => this.#tick(now));
  }

  #tick(now: number): void {
    const { steps } = this.#orderNow();
    if (this.#started === null) {
      return;
    }
    const step = stepAfter(Math.max(0, now - this.#started.at), this.#started.step, steps);
    if (step === steps - 1) {
      this.#started = null;
    } else {
      this.#frame = window.requestAnimationFrame((next) => this.#tick(next));
    }
    if (step !== this.#step || this.#started === null) {
      this.#show(step);
    }
  }

  #pause(): void {
    window.cancelAnimationFrame(this.#frame);
    this.#started = null;
    this.#tell();
  }

  #stepBy(distance: number): void {
    this.#pause();
    const { steps } = this.#orderNow();
    this.#show(this.#step === null ? (distance > 0 ? 0 : steps - 1) : Math.min(steps - 1, Math.max(0, this.#step + distance)));
  }

  #leaveOrder(): void {
    window.cancelAnimationFrame(this.#frame);
    this.#started = null;
    this.#step = null;
    this.#tell();
    this.#onStep(null);
  }

  #show(step: number): void {
    this.#step = step;
    this.#tell();
    this.#onStep(this.#orderNow().at(step));
  }

  #orderNow(): CallOrder {
    this.#order ??=
      this.#plan === null
        ? { steps: 0, at: () => ({ layers: [], step: 0, steps: 0, byBlock: true, doneBlocks: 0, done: [], current: [] }) }
        : callOrder(this.#plan);
    return this.#order;
  }

  #tell(): void {
    const playing = this.#started !== null;
    setText(this.#play, playing ? t('Pause') : t('Play'));
    setVisible(this.#leave, this.#step !== null);
    setVisible(this.#slider, this.#step !== null);
    setVisible(this.#sentence, this.#step !== null);
    if (this.#plan === null || this.#step === null) {
      return;
    }
    const { steps, at } = this.#orderNow();
    const sentence = stepSentence(at(this.#step), this.#ran);
    setText(this.#sentence, sentence);
    // Screen readers skip steps that advance automatically; the slider announces its own.
    setAttributes(this.#sentence, { 'aria-live': playing || document.activeElement === this.#slider ? 'off' : 'polite' });
    setAttributes(this.#slider, { max: steps - 1, 'aria-valuetext': sentence });
    this.#slider.valueAsNumber = this.#step;
  }
}
