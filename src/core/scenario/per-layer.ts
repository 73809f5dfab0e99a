import { InputError } from '../errors';
import { type BandedMask, type GeneralMask, type Mask, type Range, type Sight, type VisibleKeys, visibleRanges } from './mask';
import { definitionOf, type LayerScenario } from './registry';

/** The pairs that at least one of several masks admits, of any form. */
function generalUnion(masks: readonly Mask[], tokens: number): GeneralMask {
  const allows = (query: number, key: number): boolean => masks.some((mask) => mask.allows(query, key));
  const ranges = (query: number): readonly Range[] => joined(masks.flatMap((mask) => visibleRanges(mask, query)));
  return {
    allows,
    ranges,
    visiblePairs: () => {
      let pairs = 0;
      for (let query = 0; query < tokens; query += 1) {
        pairs += ranges(query).reduce((sum, { from, to }) => sum + to - from, 0);
      }
      return pairs;
    },
    // The union may cover a rectangle that no single mask covers: check query by query.
    sight: (queries, keys) => {
      let found: Sight | undefined;
      for (let query = queries.from; query < queries.to; query += 1) {
        const own = sightOf(ranges(query), keys);
        if (own === 'some' || (found !== undefined && found !== own)) {
          return 'some';
        }
        found = own;
      }
      return found ?? 'none';
    },
  };
}

function sightOf(ranges: readonly Range[], { from, to }: Range): Sight {
  const visible = ranges.reduce((sum, range) => sum + Math.max(0, Math.min(to, range.to) - Math.max(from, range.from)), 0);
  return visible === 0 ? 'none' : visible === to - from ? 'all' : 'some';
}

/** Ranges in ascending order, with overlapping or touching ones merged. */
function joined(ranges: readonly Range[]): readonly Range[] {
  const ascending: { from: number; to: number }[] = [];
  for (const { from, to } of ranges.filter((range) => range.to > range.from).sort((one, other) => one.from - other.from)) {
    const last = ascending.at(-1);
    if (last !== undefined && from <= last.to) {
      last.to = Math.max(last.to, to);
    } else {
      ascending.push({ from, to });
    }
  }
  return ascending;
}

/** A scenario for each layer: layer l has the one at `l mod cycle.length`. */
export interface PerLayerScenario {
  readonly kind: 'per-layer';
  /** At least two, not all alike, none sampled. */
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
 * A scenario for the layers of a model from a cycle; if all layers are alike, their common scenario.
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
  return { kind: 'per-layer', cycle };
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

/** The pairs that at least one layer admits. */
export function unionMask(masks: readonly Mask[], tokens: number): Mask {
  const banded = masks.filter((mask) => 'visible' in mask);
  return banded.length === masks.length ? bandedUnion(banded, tokens) : generalUnion(masks, tokens);
}

/** Under every banded mask here a query sees itself, so the ranges overlap and merge into one. */
function bandedUnion(masks: readonly BandedMask[], tokens: number): BandedMask {
  const visible = (query: number): VisibleKeys =>
    masks
      .map((mask) => mask.visible(query))
      .reduce((one, other) => {
        const start = Math.min(one.start, other.start);
        return { prefixEnd: Math.min(start, Math.max(one.prefixEnd, other.prefixEnd)), start, end: Math.max(one.end, other.end) };
      });
  return {
    allows: (query, key) => masks.some((mask) => mask.allows(query, key)),
    visible,
    visiblePairs: () => {
      let pairs = 0;
      for (let query = 0; query < tokens; query += 1) {
        const { prefixEnd, start, end } = visible(query);
        pairs += prefixEnd + end - start;
      }
      return pairs;
    },
  };
}

/** Whether two scenarios are equal as data. */
function isSame(one: LayerScenario, other: LayerScenario): boolean {
  return JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());
}
