import { isSame, periodOf, shortestCycle } from './cycle';
import type { HeadShare, PerHeadScenario } from './per-head';
import type { LayerScenario } from './registry';

/** A scenario for each layer: layer l has the one at `l mod cycle.length`. */
export interface PerLayerScenario {
  readonly kind: 'per-layer';
  /** At least two, not all alike, none sampled, and as short as it can be. */
  readonly cycle: readonly LayerScenario[];
}

/** Layers that share a scenario, in some of their heads or in all. */
export interface LayerGroup {
  readonly scenario: LayerScenario;
  /** The heads that have it, where others have another. */
  readonly share?: HeadShare;
  /** 0-based, ascending. */
  readonly layers: readonly number[];
}

/**
 * A scenario for the layers of a model from a cycle, as short as it can be; if all layers are alike, their common scenario.
 *
 * @throws InputError for a cycle that is empty, too long, or samples keys in some layers
 */
export function perLayer(cycle: readonly LayerScenario[]): LayerScenario | PerLayerScenario {
  const shortest = shortestCycle(cycle, 'layers');
  return shortest.length === 1 ? shortest[0] : { kind: 'per-layer', cycle: shortest };
}

/** The scenario of a model from those of all its layers. @throws InputError as `perLayer` does */
export function ofLayers(layers: readonly LayerScenario[]): LayerScenario | PerLayerScenario {
  return perLayer(layers.slice(0, periodOf(layers)));
}

/**
 * The layers of a model grouped by scenario, in order of first use; groups without layers are left out. Where heads differ, every
 * layer is in each group, with the heads that have its scenario.
 */
export function layerGroups(scenario: LayerScenario | PerLayerScenario | PerHeadScenario, layers: number): readonly LayerGroup[] {
  const all = Array.from({ length: layers }, (_, layer) => layer);
  if (scenario.kind === 'per-head') {
    const places = layerGroups({ kind: 'per-layer', cycle: scenario.cycle }, scenario.cycle.length);
    return places.map((group) => ({
      scenario: group.scenario,
      share: { places: group.layers, of: scenario.cycle.length },
      layers: all,
    }));
  }
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
