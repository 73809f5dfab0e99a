import { experimentPoints, runPoints } from '../../src/core/lab/frontier';
import { measuredPoints } from '../../src/core/evaluate/rows';
import type { LabAtlas, LabExperiment, LabHostMessage, LabSnapshot } from '../../src/protocol/lab';
import type { HostMessage } from '../../src/protocol/panel';
import { element, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import { Quality } from '../sections/evaluate';
import { Retrieval } from '../sections/retrieval';
import type { ThemeWatcher } from '../theme';
import { section, tallSection } from '../ui/section';
import { button } from '../ui/toolkit';
import { Details } from './details';
import { Frontier } from './frontier';
import { HeadGrids } from './head-grid';
import { LabHeadline } from './headline';
import { MassMap } from './mass-map';
import { Predicted } from './predicted';
import { type Selected, Selection } from './selection';
import { Shortcuts } from './shortcuts';
import { TokenStrip } from './token-strip';
import { headName, rangeText } from './words';

/** The page of the lab: five pictures with one selection. It is empty until the first message. */
export class Lab {
  readonly #root: HTMLElement;
  readonly #host: Host;
  readonly #selection = new Selection();
  readonly #headline: LabHeadline;
  readonly #massMap: MassMap;
  readonly #heads: HeadGrids;
  readonly #strip: TokenStrip;
  readonly #frontier: Frontier;
  readonly #predicted: Predicted;
  readonly #retrieval = new Retrieval();
  readonly #quality: Quality;
  readonly #details: Details;
  readonly #sections;
  readonly #selected = element('span', { 'data-testid': 'lab-selected' });
  readonly #showInEditor = button(t('Show in editor'), 'secondary', { 'data-testid': 'lab-reveal' }, () => this.#revealRange());
  readonly #clear = button(t('Clear'), 'secondary', { 'data-testid': 'lab-clear' }, () =>
    this.#selection.set({ range: null, layer: null, head: null }),
  );
  readonly #selectionBar: HTMLElement;
  readonly #stale = element('p', { class: 'note', role: 'status', 'data-testid': 'atlas-stale' });
  #snapshot: LabSnapshot | null = null;
  #atlas: LabAtlas | null = null;
  #experiment: LabExperiment | null = null;
  #heard: Selected['range'] = null;

  constructor(root: HTMLElement, host: Host, theme: ThemeWatcher) {
    this.#root = root;
    this.#host = host;
    const shortcuts = new Shortcuts(this.#selection, () => this.#atlas, {
      reveal: () => this.#revealRange(),
      measure: () => this.#snapshot?.subject === 'prompt' && host.post({ type: 'measure' }),
    });
    this.#headline = new LabHeadline(host, () => shortcuts.toggle());
    this.#massMap = new MassMap(host, theme, this.#selection);
    this.#heads = new HeadGrids(host, theme, this.#selection);
    this.#strip = new TokenStrip(host, theme, this.#selection);
    this.#frontier = new Frontier(host, theme);
    this.#predicted = new Predicted(host, theme);
    this.#quality = new Quality(host, theme);
    this.#details = new Details(host, theme);
    this.#selectionBar = element(
      'div',
      { class: 'selection-bar', 'data-testid': 'selection-bar' },
      this.#selected,
      this.#showInEditor,
      this.#clear,
    );
    this.#sections = {
      map: section(host, 'lab-map', t('Where attention goes'), this.#stale, this.#massMap.element),
      heads: section(host, 'lab-heads', t('Layer by head'), this.#heads.element),
      strip: section(host, 'lab-strip', t('Token by token'), this.#strip.element),
      frontier: tallSection(host, 'lab-frontier', t('Frontier'), true, this.#frontier.element),
      predicted: tallSection(host, 'lab-predicted', t('Predicted against measured'), true, this.#predicted.element),
      needles: tallSection(host, 'lab-needles', t('Needles'), true, this.#retrieval.element),
    };
    const { map, heads, strip, frontier, predicted, needles } = this.#sections;
    setVisible(root, false);
    root.append(
      this.#headline.element,
      shortcuts.element,
      this.#selectionBar,
      element(
        'div',
        { class: 'pictures' },
        element('div', { class: 'column' }, map, strip),
        element('div', { class: 'column' }, heads, frontier, predicted),
      ),
      needles,
      this.#quality.element,
      this.#details.element,
    );
    shortcuts.listen(root.ownerDocument);
    this.#selection.onChange((selected) => this.#showSelected(selected));
  }

  /** Applies a message of the host. */
  apply(message: LabHostMessage | HostMessage): void {
    switch (message.type) {
      case 'lab':
        this.#snapshot = message.snapshot;
        return this.#show();
      case 'experiment':
        this.#experiment = message.experiment;
        return this.#show();
      case 'atlas':
        return this.#showAtlas(message.atlas);
      case 'progress':
        this.#headline.showProgress(message.progress);
        return this.#details.apply(message);
      case 'selected':
        // What the editor says is not said back to it.
        this.#heard = message.range;
        this.#selection.set({ range: message.range });
        return;
      case 'show':
        return this.#reveal(`section-${message.part}`);
      default:
        return this.#details.apply(message);
    }
  }

  #show(): void {
    const snapshot = this.#snapshot;
    if (snapshot === null) {
      return;
    }
    // Visible first: charts and pictures measure the available width.
    setVisible(this.#root, true);
    this.#headline.show(snapshot, this.#experiment);
    const { outlook, evaluation } = this.#experiment ?? { outlook: null, evaluation: null };
    const planned = outlook?.points ?? [];
    const points =
      evaluation !== null
        ? experimentPoints(evaluation.points, evaluation.experiment)
        : outlook !== null
          ? experimentPoints(planned, outlook.experiment)
          : [];
    const runs = runPoints(snapshot.runs, points);
    const drawn = points.length > 0 ? points : runs;
    const measured = evaluation === null ? [] : measuredPoints(evaluation.points);
    const { frontier, predicted, needles, map, heads, strip } = this.#sections;
    setVisible(frontier, drawn.length > 0);
    setVisible(predicted, drawn.length > 0);
    this.#frontier.show(drawn);
    // A prompt's own runs are predicted and measured too, whatever was evaluated.
    this.#predicted.show([...points, ...runs], snapshot.roof);
    setVisible(
      needles,
      measured.some(({ retrieval }) => retrieval !== null),
    );
    this.#quality.show(evaluation);
    if (evaluation !== null) {
      this.#retrieval.show(measured, evaluation);
    }
    const hasAtlas = this.#atlas !== null;
    setVisible(map, hasAtlas || snapshot.subject === 'prompt');
    setVisible(this.#massMap.element, hasAtlas);
    setVisible(heads, hasAtlas);
    setVisible(strip, hasAtlas && this.#atlas?.byToken !== null);
    setText(
      this.#stale,
      !hasAtlas
        ? t('Not measured yet. Measure where attention goes: a run under the model’s own attention, and one under the mask.')
        : this.#atlas?.current === false
          ? t('Of the text or the scenario as it was: measure it again.')
          : '',
    );
    setVisible(this.#stale, this.#stale.textContent !== '');
    this.#showSelected(this.#selection.current, false);
  }

  #showAtlas(atlas: LabAtlas | null): void {
    this.#atlas = atlas;
    if (atlas !== null) {
      const { layer, head } = this.#selection.current;
      const isThere = atlas.atlas.heads.some((each) => (layer === null || each.layer === layer) && (head === null || each.head === head));
      this.#selection.set(isThere ? {} : { layer: null, head: null });
      this.#massMap.show(atlas);
      this.#heads.show(atlas);
      this.#strip.show(atlas);
    }
    this.#show();
  }

  #showSelected({ range, layer, head }: Selected, changed = true): void {
    const parts = [
      ...(range === null ? [] : [t('tokens {0}', rangeText(range))]),
      ...(layer === null && head === null ? [] : [headName({ layer, head }, this.#atlas?.atlas.heads.length ?? 0)]),
    ];
    setText(this.#selected, parts.length === 0 ? t('Nothing selected') : t('Selected: {0}', parts.join(' · ')));
    setVisible(this.#selectionBar, this.#atlas !== null);
    this.#showInEditor.disabled = range === null;
    this.#clear.disabled = parts.length === 0;
    if (!changed) {
      return;
    }
    this.#massMap.choose();
    this.#heads.mark();
    this.#strip.mark();
    if (this.#snapshot?.subject === 'prompt' && range !== this.#heard) {
      this.#heard = range;
      this.#host.post({ type: 'brush', range });
    }
  }

  #revealRange(): void {
    const { range } = this.#selection.current;
    if (range !== null) {
      this.#host.post({ type: 'reveal', range });
    }
  }

  /** Unfolds a section and scrolls to it. */
  #reveal(testId: string): void {
    const found = this.#root.querySelector<HTMLDetailsElement>(`[data-testid="${testId}"]`);
    if (found !== null) {
      found.open = true;
      // Its heading below the bar that stays in view, not under it.
      found.style.scrollMarginTop = `${this.#selectionBar.offsetHeight}px`;
      found.scrollIntoView({ block: 'start' });
    }
  }
}
