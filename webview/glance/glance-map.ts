import type { Plan } from '../../src/core/plan/plan';
import type { EditorPlace, PanelSnapshot } from '../../src/protocol/panel';
import { element, setAttributes, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import { TileCanvas } from '../map/tile-canvas';
import { TileChoice } from '../map/tile-choice';
import { mapSummary, planKey, tileSentence } from '../map/wording';
import type { ThemeWatcher } from '../theme';
import { count, estimate, bytes } from '../ui/shown';
import { Figures } from '../ui/tables';
import type { View } from '../ui/section';

/** The whole tile map, small, beside the figures of its plan and the offer to calibrate: a click selects a tile's text, and the cursor's block is marked. */
export class GlanceMap implements View {
  readonly element: HTMLElement;
  readonly #canvas: TileCanvas;
  readonly #choice: TileChoice;
  readonly #tile = element('p', { class: 'hidden-text', 'aria-live': 'polite', 'data-testid': 'glance-tile' });
  readonly #figures = new Figures({
    total: { label: t('Calls'), testId: 'calls-total', title: t('Calls of the small transformer, over all layers') },
    time: { label: t('Time, expected'), testId: 'expected-time', title: t('From this machine’s calibration') },
    peak: { label: t('Memory, expected'), testId: 'expected-memory', title: t('Peak of the whole process during a run, by what takes it') },
  });
  readonly #calibrate = element('button', { class: 'link', type: 'button', 'data-testid': 'calibrate' }, t('Calibrate this machine'));
  #plan: Plan | null = null;
  #drawn = '';
  #place: EditorPlace = { cursor: null, visible: null };

  constructor(host: Host, theme: ThemeWatcher) {
    this.#canvas = new TileCanvas(theme, () => this.#mark());
    this.#choice = new TileChoice(this.#canvas, {
      changed: () => this.#mark(),
      chosen: ({ queryBlock, keyBlock }) => host.post({ type: 'select-tile', queryBlock, keyBlock }),
      pressed: () => false,
    });
    setAttributes(this.#canvas.canvas, { role: 'application', 'aria-roledescription': t('tile map'), 'data-testid': 'glance-map' });
    this.#calibrate.addEventListener('click', () => host.post({ type: 'calibrate' }));
    const side = element('div', { class: 'glance-figures' }, this.#figures.element, this.#calibrate);
    this.element = element('div', { class: 'glance-map' }, this.#canvas.element, side, this.#tile);
  }

  update({ plan, prediction, memory, place, activity }: PanelSnapshot): void {
    setVisible(this.element, plan !== null);
    this.#place = place;
    if (plan !== null) {
      this.#figures.update({
        total: count(plan.calls.total),
        time: prediction === null ? null : estimate(prediction.wallMs, prediction.interval),
        peak: memory === null ? null : bytes(memory.peak),
      });
      this.#draw(plan);
    }
    setVisible(
      this.#calibrate,
      (prediction === null || prediction.load?.repeat === true) && plan?.construction === 'fused' && activity.state !== 'running',
    );
    setAttributes(this.#calibrate, {
      title:
        prediction === null
          ? t('Calibrate this machine to see the expected time.')
          : t('Calibrate this machine again, when it is quiet, for a narrower interval.'),
    });
    this.#mark();
  }

  /** The editor's cursor moved to another block, or the editor scrolled. */
  showPlace(place: EditorPlace): void {
    this.#place = place;
    this.#mark();
  }

  #draw(plan: Plan): void {
    const key = planKey(plan);
    if (key !== this.#drawn) {
      this.#drawn = key;
      this.#plan = plan;
      this.#choice.show(plan.queryBlocks);
      setAttributes(this.#canvas.canvas, { 'aria-label': mapSummary(plan) });
      this.#canvas.show(plan);
    }
  }

  #mark(): void {
    const { pointed, focused } = this.#choice;
    this.#choice.startAt(this.#place.cursor ?? 0);
    this.#canvas.mark({ place: this.#place, pointed, focused, step: null });
    const tile = pointed ?? focused;
    const text = tile === null || this.#plan === null ? '' : tileSentence(this.#plan, tile);
    setAttributes(this.#canvas.canvas, { title: text === '' ? null : text });
    setText(this.#tile, pointed === null ? text : '');
  }
}
