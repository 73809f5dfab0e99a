import type { HostMessage, PanelSnapshot } from '../src/protocol/panel';
import { setVisible } from './dom';
import { Actions } from './form/actions';
import { ScenarioForm } from './form/form';
import { GlanceCosts } from './glance/glance-costs';
import { GlanceMap } from './glance/glance-map';
import type { Host } from './host';
import { Headline } from './sections/headline';
import type { ThemeWatcher } from './theme';
import type { View } from './ui/section';

/** The side panel's page: the prompt in front at a glance, one screen high; the lab has the rest. It is empty until the first snapshot. */
export class Panel {
  readonly #root: HTMLElement;
  readonly #actions: Actions;
  readonly #map: GlanceMap;
  readonly #views: readonly View[];

  constructor(root: HTMLElement, host: Host, theme: ThemeWatcher) {
    this.#root = root;
    this.#actions = new Actions(host);
    this.#map = new GlanceMap(host, theme);
    this.#views = [new Headline(host), this.#actions, new ScenarioForm(host), this.#map, new GlanceCosts(theme)];
    root.classList.add('glance');
    setVisible(root, false);
    root.append(...this.#views.map(({ element }) => element));
  }

  /** Applies a message of the host. */
  apply(message: HostMessage): void {
    switch (message.type) {
      case 'snapshot':
        return this.#show(message.snapshot);
      case 'progress':
        return this.#actions.showProgress(message.progress);
      case 'place':
        return this.#map.showPlace(message.place);
    }
  }

  #show(snapshot: PanelSnapshot): void {
    // Visible first: charts and the map measure the available width.
    setVisible(this.#root, true);
    for (const view of this.#views) {
      view.update(snapshot);
    }
  }
}
