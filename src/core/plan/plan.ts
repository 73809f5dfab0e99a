import { maskDefinition, maskOf, scenarioLabel, type Scenario } from '../masks';
import type { ModelShape, OracleShape } from '../shapes';
import { boundOf, type Bound } from './bound';
import { costOf, type PlanCost } from './cost';
import { partition } from './partition';
import { tileCount, tileRuns, type TileKind, type TileRun } from './tiles';

/** How the large transformer is made of calls of the small one. Stage 1 runs `fused`: one call per tile, mask included. */
export type Construction = 'fused';
export const constructions: readonly Construction[] = ['fused'];

/** One query block: the key blocks it reads, and how many tiles come before its own. */
export interface QueryBlock {
  readonly runs: readonly TileRun[];
  /** Number of tiles of all earlier query blocks. */
  readonly firstTile: number;
  /** Number of its own tiles. */
  readonly tiles: number;
}

/** What is to be planned. */
export interface PlanRequest {
  /** N. */
  readonly tokens: number;
  readonly model: ModelShape;
  readonly scenario: Scenario;
  readonly oracle: OracleShape;
  readonly construction: Construction;
}

/**
 * Everything that is known before a run: plain data, postable and printable.
 *
 * Tiles are runs per query block, never one object per tile. Every view draws from this and computes no number itself.
 */
export interface Plan extends PlanRequest, PlanCost {
  /** T = ceil(N / M). */
  readonly blocks: number;
  readonly queryBlocks: readonly QueryBlock[];
  /** Tiles of one head of one layer. */
  readonly tiles: number;
  readonly tilesByKind: Readonly<Record<TileKind, number>>;
  /** Pairs (query, key) that the mask admits, of one head of one layer. */
  readonly visiblePairs: number;
  /** Dependent rounds of attention calls: one per layer of the large transformer. */
  readonly rounds: number;
  /** What the theorem allows, beside what `calls` counts. */
  readonly bound: Bound;
  /** Remarks a user should see, such as a window that covers the whole prompt. */
  readonly notes: readonly string[];
}

/** A plan without its tiles: what reports keep. */
export type PlanSummary = Omit<Plan, 'queryBlocks'>;

/**
 * Plans a simulation: which tiles, how many calls, what cost.
 *
 * @throws InputError for N < 1, M < 2 or parameters out of range
 */
export function makePlan(request: PlanRequest): Plan {
  const { tokens, scenario, oracle, model } = request;
  const cut = partition(tokens, oracle.inputLength);
  const mask = maskOf(scenario, tokens);
  const { sampled } = maskDefinition(scenario.kind);

  const queryBlocks: QueryBlock[] = [];
  const tilesByKind: Record<TileKind, number> = { full: 0, partial: 0, sampled: 0 };
  let tiles = 0;
  for (let block = 0; block < cut.blocks; block += 1) {
    const runs = sampled ? [sampledRun(block)] : tileRuns(mask, cut, block);
    const own = tileCount(runs);
    queryBlocks.push({ runs, firstTile: tiles, tiles: own });
    tiles += own;
    for (const run of runs) {
      tilesByKind[run.kind] += run.to - run.from;
    }
  }
  const visiblePairs = mask.visiblePairs();
  return {
    ...request,
    blocks: cut.blocks,
    queryBlocks,
    tiles,
    tilesByKind,
    visiblePairs,
    ...costOf({ ...request, blocks: cut.blocks, tiles, visiblePairs }),
    rounds: model.layers,
    bound: boundOf(request, cut.blocks),
    notes: notesOf(request),
  };
}

/** Theorem 4.1: query block t reads the keys tau(S_t), one block of the permuted keys. */
function sampledRun(block: number): TileRun {
  return { from: block, to: block + 1, kind: 'sampled' };
}

/** The plan without its tiles. */
export function summarise(plan: Plan): PlanSummary {
  const summary: PlanSummary & { queryBlocks?: unknown } = { ...plan };
  delete summary.queryBlocks;
  return summary;
}

/** Attention calls that a range of tiles causes in one layer; the shares of all query blocks add up to the layer's total. */
export function callsOfTiles(plan: PlanSummary, firstTile: number, tiles: number): number {
  const perCall = plan.oracle.heads * plan.oracle.layers;
  const callsUpTo = (tile: number): number => Math.ceil((tile * plan.model.heads) / perCall);
  return callsUpTo(firstTile + tiles) - callsUpTo(firstTile);
}

function notesOf({ tokens, scenario, oracle }: PlanRequest): string[] {
  const notes: string[] = [];
  if (oracle.inputLength >= tokens) {
    notes.push(`Block size ${oracle.inputLength} holds all ${tokens} tokens: there is one block.`);
  }
  if ('window' in scenario && scenario.window >= tokens) {
    notes.push(`${scenarioLabel(scenario)} covers all ${tokens} tokens: it is causal attention.`);
  }
  return notes;
}
