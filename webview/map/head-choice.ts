import { formatRanges } from '../../src/core/format';
import { hasHeadParts, type Plan } from '../../src/core/plan/plan';
import { scenarioLabel } from '../../src/core/scenario/scenario';
import { element, setVisible } from '../dom';
import { t } from '../l10n';
import { radioGroup } from '../ui/toolkit';

/** Chooses the heads whose tiles the map shows, where heads have masks of their own. */
export class HeadChoice {
  readonly element = element('div', {});
  readonly #chosen: () => void;
  #shown: Plan | null = null;

  /** @param chosen is called when the user chooses others */
  constructor(chosen: () => void) {
    this.#chosen = chosen;
  }

  /** The plan of the heads that are chosen: of all, with the tiles that any of them reads, until some are. */
  get shown(): Plan | null {
    return this.#shown;
  }

  /** Switches to another plan. */
  show(plan: Plan): void {
    this.#shown = plan;
    // A black box cuts the sequence for each kind of head: blocks of others have no place on the same map.
    const parts = hasHeadParts(plan) ? plan.parts.filter((part) => part.plan.blockSize === plan.blockSize) : [];
    setVisible(this.element, parts.length > 0);
    const choices = [
      { value: '', label: t('All heads') },
      ...parts.map(({ heads = [], plan: own }, index) => ({
        value: String(index),
        label: t('Heads {0}: {1}', formatRanges(heads), scenarioLabel(own.scenario)),
      })),
    ];
    const group = radioGroup(t('Heads'), choices, '', { 'data-testid': 'map-heads' }, (value) => {
      this.#shown = value === '' ? plan : parts[Number(value)].plan;
      this.#chosen();
    });
    this.element.replaceChildren(...(parts.length > 0 ? [group] : []));
  }
}
