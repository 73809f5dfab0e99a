import type { HostMessage } from '../../src/protocol/panel';
import { element, setVisible } from '../dom';
import type { Host } from '../host';
import { TileMap } from '../map/tile-map';
import { Costs } from '../sections/costs';
import { History } from '../sections/history';
import { LastRun } from '../sections/last-run';
import { Ledger } from '../sections/ledger';
import { PlanFigures } from '../sections/plan';
import type { ThemeWatcher } from '../theme';
import type { View } from '../ui/section';

/** All that is known of the prompt in front: its plan, its tiles, what scenarios cost, how it ran, earlier runs, and the ledger. */
export class Details {
  readonly element = element('div', { class: 'details', hidden: true });
  readonly #tileMap: TileMap;
  readonly #costs: Costs;
  readonly #ledger: Ledger;
  readonly #views: readonly View[];

  constructor(host: Host, theme: ThemeWatcher) {
    this.#tileMap = new TileMap(host, theme);
    this.#costs = new Costs(host, theme);
    this.#ledger = new Ledger(host);
    this.#views = [new PlanFigures(host), this.#tileMap, this.#costs, new LastRun(host, theme), new History(host), this.#ledger];
    this.element.append(...this.#views.map((view) => view.element));
  }

  /** Applies a message that the side panel gets too. */
  apply(message: HostMessage): void {
    switch (message.type) {
      case 'snapshot':
        // Visible first: charts and the map measure the available width.
        setVisible(this.element, true);
        return this.#views.forEach((view) => view.update(message.snapshot));
      case 'cost-curves':
        return this.#costs.showCurves(message.curves);
      case 'progress':
        return this.#ledger.showProgress(message.progress);
      case 'place':
        return this.#tileMap.showPlace(message.place);
      case 'tile-text':
        return this.#tileMap.showText(message);
    }
  }
}
