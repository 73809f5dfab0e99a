import { InputError } from '../errors';
import { definitionOf, type LayerScenario } from './registry';

/** A scenario for each layer: layer l has the one at `l mod cycle.length`. */
export interface PerLayerScenario {
  readonly kind: 'per-layer';
  /** At least two, not all alike, none sampled, and as short as it can be. */
  readonly cycle: readonly LayerScenario[];
}

/** Layers that share a scenario. */
export interface LayerGroup {
  readonly scenario: LayerScenario;
  /** 0-based, ascending. */
  readonly layers: readonly number[];
}

/** Most layers in a cycle: more than any model has. */
const longestCycle = 1024;

/**
 * A scenario for the layers of a model from a cycle, as short as it can be; if all layers are alike, their common scenario.
 *
 * @throws InputError for a cycle that is empty, too long, or samples keys in some layers
 */
export function perLayer(cycle: readonly LayerScenario[]): LayerScenario | PerLayerScenario {
  if (cycle.length === 0 || cycle.length > longestCycle) {
    throw new InputError(`A cycle of ${cycle.length} layers is not possible; give from 1 to ${longestCycle} scenarios.`);
  }
  const [first] = cycle;
  if (cycle.every((scenario) => isSame(scenario, first))) {
    return first;
  }
  const sampled = cycle.find(({ kind }) => definitionOf(kind).sampleSeed !== undefined);
  if (sampled !== undefined) {
    throw new InputError(
      `Scenario "${sampled.kind}" cannot be one of several in a cycle of layers; use it for all layers, or leave it out.`,
    );
  }
  const whole = periodOf(cycle);
  return { kind: 'per-layer', cycle: cycle.length % whole === 0 ? cycle.slice(0, whole) : cycle };
}

/** The scenario of a model from those of all its layers. @throws InputError as `perLayer` does */
export function ofLayers(layers: readonly LayerScenario[]): LayerScenario | PerLayerScenario {
  return perLayer(layers.slice(0, periodOf(layers)));
}

/** The fewest scenarios that give all of them if they are repeated. */
function periodOf(scenarios: readonly LayerScenario[]): number {
  const shorter = scenarios.findIndex((_, length) => length > 0 && scenarios.every((each, at) => isSame(each, scenarios[at % length])));
  return shorter < 0 ? scenarios.length : shorter;
}

/** The layers of a model grouped by scenario, in order of first use; groups without layers are left out. */
export function layerGroups(scenario: LayerScenario | PerLayerScenario, layers: number): readonly LayerGroup[] {
  const all = Array.from({ length: layers }, (_, layer) => layer);
  if (scenario.kind !== 'per-layer') {
    return [{ scenario, layers: all }];
  }
  const { cycle } = scenario;
  const groups: { readonly scenario: LayerScenario; readonly layers: number[] }[] = [];
  for (const layer of all) {
    const own = cycle[layer % cycle.length];
    const group = groups.find((known) => isSame(known.scenario, own));
    if (group === undefined) {
      groups.push({ scenario: own, layers: [layer] });
    } else {
      group.layers.push(layer);
    }
  }
  return groups;
}

/** Whether two scenarios are equal as data. */
function isSame(one: LayerScenario, other: LayerScenario): boolean {
  return JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());
}
