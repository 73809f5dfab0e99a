import { isBlackBox } from '../construct/construction';
import { InputError } from '../errors';
import { layerGroups, maskOf, scenarioLabel, type LayerScenario, type PerLayerScenario } from '../scenario/scenario';
import type { Bound } from './bound';
import { sumCosts } from './cost';
import { partition } from './partition';
import { planLayers, type LayerPlan, type Plan, type PlanPart, type PlanRequest, type QueryBlock } from './plan';
import { tileCount, tileRuns, type TileKind } from './tiles';

/** The kinds of layer of any plan: one where all layers are alike. */
export function layerParts(plan: Plan): readonly PlanPart[] {
  return isUniform(plan) ? [{ layers: Array.from({ length: plan.model.layers }, (_, layer) => layer), plan }] : plan.parts;
}

/** Whether all layers of a plan are alike. */
export function isUniform(plan: Plan): plan is LayerPlan {
  return plan.scenario.kind !== 'per-layer';
}

/** For each layer of the model, the index of its kind in `layerParts`. */
export function partOfLayers(plan: Plan): readonly number[] {
  const parts: number[] = [];
  layerParts(plan).forEach(({ layers }, index) => layers.forEach((layer) => (parts[layer] = index)));
  return parts;
}

/** The requests that a request is for each kind of layer. */
export function layerRequests({
  scenario,
  model,
  ...request
}: PlanRequest): readonly (PlanRequest & { readonly scenario: LayerScenario })[] {
  return layerGroups(scenario, model.layers).map((group) => ({
    ...request,
    scenario: group.scenario,
    model: { ...model, layers: group.layers.length },
  }));
}

/**
 * The plan of a model whose layers differ: a plan for each kind of layer, and their sum.
 *
 * @throws InputError for a black-box construction, which is arranged for one scenario
 */
export function composePlan(request: PlanRequest & { readonly scenario: PerLayerScenario }): Plan {
  const { scenario, tokens, oracle, model } = request;
  checkUniform(request);
  const groups = layerGroups(scenario, model.layers);
  const parts = layerRequests(request).map((part, index): PlanPart => ({ layers: groups[index].layers, plan: planLayers(part) }));
  const cut = partition(tokens, oracle.inputLength);
  const mask = maskOf(scenario, tokens);
  const queryBlocks: QueryBlock[] = [];
  const tilesByKind: Record<TileKind, number> = { full: 0, partial: 0, sampled: 0 };
  let instances = 0;
  for (let block = 0; block < cut.blocks; block += 1) {
    const runs = tileRuns(mask, cut, block);
    const own = sum(parts, ({ layers, plan }) => layers.length * plan.queryBlocks[block].instances);
    queryBlocks.push({ runs, tiles: tileCount(runs), firstInstance: instances, instances: own });
    instances += own;
    runs.forEach(({ kind, from, to }) => (tilesByKind[kind] += to - from));
  }
  const plans = parts.map(({ plan }) => plan);
  return {
    ...request,
    blockSize: cut.blockSize,
    blocks: cut.blocks,
    queryBlocks,
    tiles: sum(queryBlocks, ({ tiles }) => tiles),
    instances,
    tilesByKind,
    visiblePairs: mask.visiblePairs(),
    ...sumCosts(request, plans),
    rounds: model.layers,
    bound: joinBounds(parts),
    notes: [...new Set(plans.flatMap(({ notes }) => notes))],
    parts,
  };
}

/** @throws InputError for a black-box construction of layers that differ */
export function checkUniform({ construction, scenario }: Pick<PlanRequest, 'construction' | 'scenario'>): void {
  if (isBlackBox(construction)) {
    throw new InputError(
      `Construction "${construction}" runs one scenario in all layers, not ${scenarioLabel(scenario)}; use construction fused.`,
    );
  }
}

/** The statements and formulas of all kinds of layer, each with its own number of layers for L. */
export function joinBounds(parts: readonly (Pick<PlanPart, 'layers'> & { readonly plan: Pick<Plan, 'bound'> })[]): Bound {
  return {
    theorem: [...new Set(parts.map(({ plan }) => plan.bound.theorem))].join('; '),
    formula: parts.map(({ layers, plan }) => plan.bound.formula.replace(/^L\b/, String(layers.length))).join(' + '),
    calls: sum(parts, ({ plan }) => plan.bound.calls),
  };
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}
