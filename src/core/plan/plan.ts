import { checkMasses, expectedTiles } from '../chosen/rule';
import type { PatternKind } from '../construct/arrangement';
import type { PatternCount } from '../construct/construction';
import { callsPerInstance } from '../construct/slice';
import { t } from '../l10n';
import { partNotes, restartNote } from '../scenario/part-notes';
import {
  headsOf,
  isSampled,
  layerGroups,
  type LayerScenario,
  looksAhead,
  maskOf,
  sameAs,
  type Scenario,
  scenarioLabel,
  startsOf,
  StepBudget,
  tileRuleOf,
} from '../scenario/scenario';
import { nativeScenario } from '../shapes';
import { blackBoxCost, blackBoxLayout, fusedCost } from './attention-cost';
import { blackBoxBound, type Bound, boundOf, joinBounds } from './bound';
import { costOf, type PlanCost, sumCosts } from './cost';
import { contextNote } from './context-length';
import { checkBlockSize, partition } from './partition';
import { checkUniform, isOneKind, type LayerPlanRequest, layerRequests, type PlanRequest, planRequest } from './request';
import { instancesBefore, QueryBlockWriter, type QueryBlocks } from './query-blocks';
import { chosenRuns, sampledRun, tileCount, type TileKind, tileRuns } from './tiles';

/**
 * Everything known before a run: plain data, so it can be posted and printed.
 *
 * Tiles are runs of stretches of query blocks, never one object per tile. Every view draws from this and computes no number itself.
 */
export interface Plan extends PlanRequest, PlanCost {
  /** Tokens per block: M under `fused`; fewer under a black box, which needs rows for a synthetic token and for windows. */
  readonly blockSize: number;
  /** T = ceil(N / blockSize). */
  readonly blocks: number;
  readonly queryBlocks: QueryBlocks;
  /** Tiles of one head of one layer; where layers or heads differ, tiles that at least one reads. */
  readonly tiles: number;
  /**
   * Single-head instances of attention calls, of one head of one layer; where layers differ, of one head of all layers; where heads
   * differ, the mean over them, of all layers.
   */
  readonly instances: number;
  readonly tilesByKind: Readonly<Record<TileKind, number>>;
  /**
   * Pairs (query, key) that the mask admits, of one head of one layer; where layers or heads differ, pairs that at least one
   * admits.
   */
  readonly visiblePairs: number;
  /** Dependent rounds of attention calls: one per layer of the large transformer that attends. */
  readonly rounds: number;
  /** The theorem's bound on the calls. */
  readonly bound: Bound;
  /** Remarks for the user, such as that a window covers the whole prompt. */
  readonly notes: readonly string[];
  /** Where layers or heads differ, the plan of each kind of them; otherwise empty. */
  readonly parts: readonly PlanPart[];
}

/** The plan of layers, or of heads of them, with one scenario. */
export type LayerPlan = Plan & Pick<LayerPlanRequest, 'scenario' | 'within'>;

/** Layers of a plan that are alike, scenario included, or heads of them. Layers without attention have no tiles. */
export interface PlanPart {
  /** 0-based, ascending. */
  readonly layers: readonly number[];
  /** The query heads of these layers that it is for, 0-based and ascending; absent where it is for all. */
  readonly heads?: readonly number[];
  /** Planned as if the model had only these layers, and only these heads; work token by token is of the first part of a layer. */
  readonly plan: LayerPlan;
}

/** The summary of a part in a report. */
export type PartSummary = Pick<LayerPlan, 'scenario' | 'tiles' | 'instances' | 'tilesByKind' | 'visiblePairs' | 'calls' | 'bound'> &
  Pick<PlanPart, 'layers' | 'heads'>;

/** A plan without its tiles, as in reports. */
export type PlanSummary = Omit<Plan, 'queryBlocks' | 'parts'> & { readonly parts: readonly PartSummary[] };

/**
 * Plans a simulation: its tiles, calls and cost.
 *
 * @throws InputError for N < 1, M < 2 or parameters out of range, or a written mask that costs too much to plan
 */
export function makePlan(request: PlanRequest): Plan {
  checkUniform(request);
  return isOneKind(request) ? planLayers(request) : composePlan(request);
}

/**
 * The plan of layers with one scenario.
 *
 * @param budget for masks that the user wrote: one for all layers of a plan
 * @throws InputError like `makePlan`
 */
export function planLayers(request: LayerPlanRequest, budget = new StepBudget()): LayerPlan {
  const { tokens, scenario, oracle, model, construction } = request;
  checkBlockSize(oracle.inputLength);
  const layout = blackBoxLayout(request);
  const readings = callsPerInstance(construction);
  const cut = partition(tokens, layout?.arrangement.blockSize ?? oracle.inputLength);
  const attends = model.heads > 0;
  const mask = maskOf(scenario, tokens, budget);
  const sampled = isSampled(scenario);
  const rule = tileRuleOf(scenario);
  if (rule !== undefined) {
    checkMasses(tokens, model.heads, cut.blockSize);
  }

  const queryBlocks = new QueryBlockWriter();
  const tilesByKind: Record<TileKind, number> = { full: 0, partial: 0, sampled: 0, chosen: 0 };
  const patterns: Record<PatternKind, number> = { causal: 0, open: 0, covered: 0 };
  let tiles = 0;
  let instances = 0;
  for (let block = 0; block < cut.blocks; block += 1) {
    const runs = !attends ? [] : rule ? chosenRuns(block) : sampled ? [sampledRun(block)] : tileRuns(mask, cut, block);
    const own = rule && attends ? expectedTiles(rule, cut.blocks, block) : tileCount(runs);
    const { causal = 0, open = 0, covered = 0 }: PatternCount = layout?.arrangement.countOf(block) ?? { open: own };
    const caused = readings * (causal + open + covered);
    queryBlocks.add(runs, caused);
    tiles += own;
    instances += caused;
    patterns.causal += causal;
    patterns.open += open;
    patterns.covered += covered;
    for (const run of runs) {
      tilesByKind[run.kind] += run.kind === 'chosen' ? own - 1 : run.to - run.from;
    }
  }
  const visiblePairs = attends ? mask.visiblePairs() : 0;
  const attention = layout === undefined ? fusedCost(request, tiles) : blackBoxCost(request, layout, patterns);
  return {
    ...request,
    blockSize: cut.blockSize,
    blocks: cut.blocks,
    queryBlocks: queryBlocks.finish(),
    tiles,
    instances,
    tilesByKind,
    visiblePairs,
    ...costOf({ ...request, attention, visiblePairs }),
    rounds: attends && request.within?.counted !== false ? model.layers : 0,
    bound: layout === undefined ? boundOf(request, cut.blocks) : blackBoxBound(request, layout.arrangement, layout.construction),
    notes: notesOf(request, cut.blocks),
    parts: [],
  };
}

/** The plan without its tiles. */
export function summarise(plan: Plan): PlanSummary {
  const summary: Omit<Plan, 'queryBlocks'> & { queryBlocks?: unknown } = { ...plan };
  delete summary.queryBlocks;
  const parts = plan.parts.map(({ layers, heads, plan: { scenario, tiles, instances, tilesByKind, visiblePairs, calls, bound } }) => ({
    layers,
    ...(heads && { heads }),
    scenario,
    tiles,
    instances,
    tilesByKind,
    visiblePairs,
    calls,
    bound,
  }));
  return { ...summary, parts };
}

function notesOf({ tokens, model, scenario, oracle, restarts }: LayerPlanRequest, blocks: number): string[] {
  const context = contextNote(tokens, model);
  const notes: string[] = context === undefined ? [] : [context];
  if (oracle.inputLength >= tokens && blocks === 1) {
    notes.push(t('Block size {0} holds all {1} tokens: there is one block.', oracle.inputLength, tokens));
  }
  notes.push(...partNotes(startsOf(scenario)), ...(restarts === undefined ? [] : [restartNote(restarts.length)]));
  switch (sameAs(scenario, tokens)) {
    case 'causal':
      notes.push(t('{0} covers all {1} tokens: it is causal attention.', scenarioLabel(scenario), tokens));
      break;
    case 'full':
      notes.push(t('{0} covers all {1} tokens: it is full attention.', scenarioLabel(scenario), tokens));
      break;
    case undefined:
  }
  return notes;
}

/** The kinds of layer of any plan; a single one if all layers are alike. */
export function layerParts(plan: Plan): readonly PlanPart[] {
  return isUniform(plan) ? [{ layers: Array.from({ length: plan.model.layers }, (_, layer) => layer), plan }] : plan.parts;
}

/** Whether all layers of a plan are alike. */
export function isUniform(plan: Plan): plan is LayerPlan {
  return plan.parts.length === 0;
}

/** For each layer of the model, the index of its kind in `layerParts`; where its heads differ, of the first of its parts. */
export function partOfLayers(plan: Plan): readonly number[] {
  return partsOfLayers(plan).map(([part]) => part);
}

/** For each layer of the model, the indices of its parts in `layerParts`: several where its heads differ. */
export function partsOfLayers(plan: Plan): readonly (readonly number[])[] {
  const parts = Array.from({ length: plan.model.layers }, (): number[] => []);
  layerParts(plan).forEach(({ layers }, index) => layers.forEach((layer) => parts[layer].push(index)));
  return parts;
}

/** For each layer of the model, for each of its query heads, the index of its part in `layerParts`. */
export function partsOfHeads(plan: Plan): readonly (readonly number[])[] {
  const parts = layerParts(plan);
  return partsOfLayers(plan).map((own) =>
    Array.from({ length: plan.model.heads }, (_, head) => own.find((part) => parts[part].heads?.includes(head)) ?? own[0]),
  );
}

/** Whether heads of a layer have masks of their own. */
export function hasHeadParts({ parts }: Pick<Plan, 'parts'>): boolean {
  return parts.some(({ heads }) => heads !== undefined);
}

/** The share of the heads of its layers that a part is for. */
export function headShare({ heads }: Pick<PlanPart, 'heads'>, { model }: Pick<Plan, 'model'>): number {
  return heads === undefined ? 1 : heads.length / model.heads;
}

/** The plan of a model whose layers or heads differ: a plan for each kind of them, and their sum. */
function composePlan(request: PlanRequest): Plan {
  const { tokens, oracle } = request;
  const budget = new StepBudget();
  const parts = layerRequests(request).map(({ layers, heads, request: part }): PlanPart => ({
    layers,
    ...(heads && { heads }),
    plan: planLayers(part, budget),
  }));
  const cut = partition(tokens, oracle.inputLength);
  const cycle = parts.filter(({ plan }) => plan.tiles > 0).map(({ plan }) => plan.scenario);
  const mask = maskOf(unionOf(cycle, tokens), tokens, budget);
  const sampled = isSampled(request.scenario);
  const queryBlocks = new QueryBlockWriter();
  const rule = tileRuleOf(request.scenario);
  const tilesByKind: Record<TileKind, number> = { full: 0, partial: 0, sampled: 0, chosen: 0 };
  let tiles = 0;
  let instances = 0;
  for (let block = 0; block < cut.blocks; block += 1) {
    const runs = rule ? chosenRuns(block) : sampled ? [sampledRun(block)] : tileRuns(mask, cut, block);
    const own = sum(
      parts,
      (part) =>
        part.layers.length * headShare(part, request) * instancesOfBlocks(part.plan, ...ownBlocks(cut, part.plan, block, block + 1)),
    );
    queryBlocks.add(runs, own);
    const read = rule ? expectedTiles(rule, cut.blocks, block) : tileCount(runs);
    tiles += read;
    instances += own;
    runs.forEach(({ kind, from, to }) => (tilesByKind[kind] += kind === 'chosen' ? read - 1 : to - from));
  }
  const plans = parts.map(({ plan }) => plan);
  return {
    ...request,
    blockSize: cut.blockSize,
    blocks: cut.blocks,
    queryBlocks: queryBlocks.finish(),
    tiles,
    instances,
    tilesByKind,
    visiblePairs: mask.visiblePairs(),
    ...sumCosts(request, plans),
    rounds: sum(plans, ({ rounds }) => rounds),
    bound: joinBounds(parts),
    notes: [...new Set(plans.flatMap(({ notes }) => notes))],
    parts,
  };
}

/** A scenario with the pairs that at least one of several admits. */
function unionOf(scenarios: readonly LayerScenario[], tokens: number): Scenario {
  const causal = scenarios.find(({ kind }) => kind === 'causal');
  // Causal attention has every pair of a mask that does not look ahead; the union of a written mask costs much more to find.
  if (causal !== undefined && !scenarios.some((scenario) => looksAhead(scenario, tokens))) {
    return causal;
  }
  return scenarios.length === 1 ? scenarios[0] : { kind: 'per-layer', cycle: scenarios };
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}

/**
 * Whether a scenario is the model's own attention over `tokens` tokens at its own positions, whatever its name: so is a window that
 * covers them all, on a causal model. Of a mask that the user wrote only the name is compared.
 */
export function isNativeScenario({ scenario, model, tokens, restarts }: Pick<Plan, 'scenario' | 'model' | 'tokens' | 'restarts'>): boolean {
  if ((restarts?.length ?? 0) > 1) {
    return false;
  }
  const namesOf = (own: Scenario): readonly string[] => {
    const names = Array.from({ length: model.layers }, () => new Set<string>());
    for (const group of layerGroups(own, model.layers).filter(({ share }) => headsOf(share, model.heads).length > 0)) {
      const name = sameAs(group.scenario, tokens) ?? scenarioLabel(group.scenario);
      group.layers.forEach((layer) => names[layer].add(name));
    }
    return names.map((ofHeads) => [...ofHeads].join());
  };
  const natives = namesOf(nativeScenario(model));
  return namesOf(scenario).every((name, layer) => name === natives[layer]);
}

/** Whether a plan is the model's own attention, exact: what a black box makes of it is not. */
export function isNativePlan(plan: Pick<Plan, 'scenario' | 'construction' | 'model' | 'tokens' | 'restarts'>): boolean {
  return isNativeScenario(plan) && plan.construction === 'fused';
}

/** The plan of the same prompt and small transformer under the model's own attention, exact: the baseline for scenarios. */
export function nativePlan({ tokens, model, oracle, scoreBytes }: PlanRequest): Plan {
  const request = planRequest(tokens, model, {
    scenario: { kind: 'native' },
    construction: 'fused',
    blockSize: oracle.inputLength,
    oracleLayers: oracle.layers,
    oracleHeads: oracle.heads,
  });
  return makePlan({ ...request, scoreBytes });
}

/** The plan of another number of tokens under the same scenario, on the same small transformer. @throws InputError like `makePlan` */
export function planOfLength({ model, scenario, oracle, construction, restarts, scoreBytes }: PlanRequest, tokens: number): Plan {
  return makePlan({ tokens, model, scenario, oracle, construction, ...(restarts && { restarts }), scoreBytes });
}

/** Attention calls of a query block (0-based) over all layers; the sum over all query blocks is the plan's. */
export function callsOfBlock(plan: Plan, block: number): number {
  return callsOfBlocks(plan, block, block + 1);
}

/** Attention calls of the query blocks `[from, to)` over all layers: the sum over the blocks. */
export function callsOfBlocks(plan: Plan, from: number, to: number): number {
  return layerParts(plan).reduce(
    (sum, part) => sum + part.layers.length * layerCallsOfBlocks(part.plan, ...ownBlocks(plan, part.plan, from, to)),
    0,
  );
}

/**
 * The blocks of one kind of layer that begin in the blocks `[from, to)` of a plan: a black box cuts the sequence for each kind of layer
 * as its mask needs.
 */
function ownBlocks({ blockSize, blocks }: Pick<Plan, 'blockSize' | 'blocks'>, own: LayerPlan, from: number, to: number): [number, number] {
  const first = (block: number): number => (block === blocks ? own.blocks : Math.ceil((block * blockSize) / own.blockSize));
  return [first(from), first(to)];
}

/** Instances of the query blocks `[from, to)`, as the plan counts them. */
export function instancesOfBlocks({ queryBlocks }: Pick<Plan, 'queryBlocks'>, from: number, to: number): number {
  return instancesBefore(queryBlocks, to) - instancesBefore(queryBlocks, from);
}

function layerCallsOfBlocks(plan: LayerPlan, from: number, to: number): number {
  if (plan.instances === 0) {
    return 0;
  }
  const layerCalls = plan.calls.attention / plan.model.layers;
  const callsUpTo = (instance: number): number => Math.ceil((instance * layerCalls) / plan.instances);
  return callsUpTo(instancesBefore(plan.queryBlocks, to)) - callsUpTo(instancesBefore(plan.queryBlocks, from));
}
