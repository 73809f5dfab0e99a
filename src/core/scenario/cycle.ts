import { InputError } from '../errors';
import { definitionOf, type LayerScenario } from './registry';

/** Most layers or heads in a cycle: more than any model has. */
const longestCycle = 1024;

/**
 * A cycle as short as it can be.
 *
 * @param whose what has the scenarios
 * @throws InputError for one that is empty, too long, or samples keys or chooses tiles in some of them
 */
export function shortestCycle(cycle: readonly LayerScenario[], whose: 'layers' | 'heads'): readonly LayerScenario[] {
  if (cycle.length === 0 || cycle.length > longestCycle) {
    throw new InputError(`A cycle of ${cycle.length} ${whose} is not possible; give from 1 to ${longestCycle} scenarios.`);
  }
  const [first] = cycle;
  if (cycle.every((scenario) => isSame(scenario, first))) {
    return [first];
  }
  const sampled = cycle.find(({ kind }) => definitionOf(kind).sampleSeed !== undefined || definitionOf(kind).choosesTiles !== undefined);
  if (sampled !== undefined) {
    throw new InputError(
      `Scenario "${sampled.kind}" cannot be one of several in a cycle of ${whose}; use it for all ${whose}, or leave it out.`,
    );
  }
  const whole = periodOf(cycle);
  return cycle.length % whole === 0 ? cycle.slice(0, whole) : cycle;
}

/** The fewest scenarios that give all of them if they are repeated. */
export function periodOf(scenarios: readonly LayerScenario[]): number {
  const shorter = scenarios.findIndex((_, length) => length > 0 && scenarios.every((each, at) => isSame(each, scenarios[at % length])));
  return shorter < 0 ? scenarios.length : shorter;
}

/** Whether two scenarios are equal as data. */
export function isSame(one: LayerScenario, other: LayerScenario): boolean {
  return JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());
}
