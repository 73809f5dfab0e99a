import type { HostMessage, PanelSnapshot } from '../src/protocol/panel';
import { setVisible } from './dom';
import { Actions } from './form/actions';
import { ScenarioForm } from './form/form';
import type { Host } from './host';
import { Costs } from './sections/costs';
import { Headline } from './sections/headline';
import { History } from './sections/history';
import { LastRun } from './sections/last-run';
import { Ledger } from './sections/ledger';
import { Quality } from './sections/evaluate';
import type { ThemeWatcher } from './theme';
import { TileMap } from './map/tile-map';
import type { View } from './ui/section';

/** The whole page. It is empty until the first snapshot. */
export class Panel {
  readonly #root: HTMLElement;
  readonly #actions: Actions;
  readonly #tileMap: TileMap;
  readonly #costs: Costs;
  readonly #quality: Quality;
  readonly #ledger: Ledger;
  readonly #views: readonly View[];

  constructor(root: HTMLElement, host: Host, theme: ThemeWatcher) {
    this.#root = root;
    const lastRun = new LastRun(host, theme);
    this.#actions = new Actions(host, () => lastRun.reveal());
    this.#tileMap = new TileMap(host, theme);
    this.#costs = new Costs(host, theme);
    this.#quality = new Quality(host, theme);
    this.#ledger = new Ledger(host);
    this.#views = [
      new Headline(host),
      new ScenarioForm(host),
      this.#actions,
      this.#tileMap,
      this.#costs,
      lastRun,
      this.#quality,
      new History(host),
      this.#ledger,
    ];
    setVisible(root, false);
    root.append(...this.#views.map(({ element }) => element));
  }

  /** Applies a message of the host. */
  apply(message: HostMessage): void {
    switch (message.type) {
      case 'snapshot':
        return this.#show(message.snapshot);
      case 'cost-curves':
        return this.#costs.showCurves(message.curves);
      case 'evaluation':
        return this.#quality.showEvaluation(message.evaluation);
      case 'progress':
        this.#actions.showProgress(message.progress);
        this.#quality.showProgress(message.progress);
        return this.#ledger.showProgress(message.progress);
      case 'place':
        return this.#tileMap.showPlace(message.place);
      case 'tile-text':
        return this.#tileMap.showText(message);
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
