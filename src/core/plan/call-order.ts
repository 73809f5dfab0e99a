import { isBlackBox } from '../construct/construction';
import { maskOf, tileRuleOf } from '../scenario/scenario';
import { tilesPerDispatch } from './attention-cost';
import { type Dispatch, dispatchBands, dispatchCount, dispatchesOfBand, tileRows, type TileStack } from './dispatches';
import { layerParts, type LayerPlan, type Plan } from './plan';
import { queryBlockAt } from './query-blocks';
import { TileMasks } from './tile-masks';

/** Blocks `[from, to)`. */
interface BlockRange {
  readonly from: number;
  readonly to: number;
}

/** Tiles side by side: each of the query blocks with each of the key blocks, or `diagonal`: the i-th with the i-th. */
export interface TileArea {
  readonly queries: BlockRange;
  readonly keys: BlockRange;
  readonly diagonal: boolean;
}

/** One step of a run, and everything read before it. */
export interface OrderStep {
  /** The layers that share this step, 0-based. */
  readonly layers: readonly number[];
  /** The query heads of these that share it, 0-based; absent where all do. */
  readonly heads?: readonly number[];
  /** 0-based, within such a layer. */
  readonly step: number;
  /** Steps of such a layer. */
  readonly steps: number;
  /** Whether steps are query blocks with all their calls, rather than native runs. */
  readonly byBlock: boolean;
  /** Number of query blocks, from the first on, whose tiles were all read before. */
  readonly doneBlocks: number;
  /** Other tiles read before. */
  readonly done: readonly TileArea[];
  /** Tiles read in this step. */
  readonly current: readonly TileArea[];
}

/** The order in which a run reads tiles: that of one head, the same for every head, in one layer of each kind; of one head of each kind. */
export interface CallOrder {
  /** Native runs, or query blocks if there are more of them or the runs are not known. */
  readonly steps: number;
  /** @param step 0-based */
  readonly at: (step: number) => OrderStep;
}

/**
 * The order of a plan's calls. Stored by bands of query blocks, not by calls: a million tokens can make half a million
 * calls.
 */
export function callOrder(plan: Plan): CallOrder {
  let steps = 0;
  const attending = layerParts(plan).filter(({ plan: { tiles } }) => tiles > 0);
  const kinds = attending.map(({ layers, heads, plan: own }) => {
    const byRuns = goesByBlock(own) ? undefined : dispatchOrder(own);
    // Where a run reads several query blocks, they say more than the runs do: a short prompt is one.
    const byBlock = byRuns === undefined || byRuns.steps < own.blocks;
    const kind = { firstStep: steps, layers, heads, byBlock, ...(byBlock ? blockOrder(own) : byRuns) };
    steps += kind.steps;
    return kind;
  });
  return {
    steps,
    at: (step) => {
      const kind = lastAtMost(kinds, step);
      const own = step - kind.firstStep;
      return {
        layers: kind.layers,
        ...(kind.heads && { heads: kind.heads }),
        step: own,
        steps: kind.steps,
        byBlock: kind.byBlock,
        ...kind.at(own),
      };
    },
  };
}

/** The order of layers of one kind. */
type KindOrder = { readonly steps: number; readonly at: (step: number) => Pick<OrderStep, 'doneBlocks' | 'done' | 'current'> };

/** Most steps over the pairs of a custom mask to find query blocks that read alike: about a second of work. */
const mostSteps = 160_000_000;

/** A black box reads one query block after another; so, approximately, do tiles that are chosen, and a mask that is too large to examine. */
function goesByBlock(plan: LayerPlan): boolean {
  const mask = maskOf(plan.scenario, plan.tokens);
  const steps = (): number => ('visible' in mask ? 0 : plan.tilesByKind.partial * tileRows(plan) ** 2 * (mask.pairSteps ?? 1));
  return isBlackBox(plan.construction) || tileRuleOf(plan.scenario) !== undefined || steps() > mostSteps;
}

function blockOrder({ queryBlocks }: LayerPlan): KindOrder {
  const areas = (block: number): TileArea[] =>
    queryBlockAt(queryBlocks, block).runs.map(({ from, to }) => ({
      queries: { from: block, to: block + 1 },
      keys: { from, to },
      diagonal: false,
    }));
  return { steps: queryBlocks.length, at: (step) => ({ doneBlocks: step, done: [], current: areas(step) }) };
}

function dispatchOrder(plan: LayerPlan): KindOrder {
  const masks = new TileMasks(plan);
  const limit = tilesPerDispatch(tileRows(plan), plan.scoreBytes);
  const bands: { readonly firstBlock: number; readonly firstStep: number }[] = [];
  let steps = 0;
  for (const band of dispatchBands(plan, masks.indexOf, limit)) {
    bands.push({ firstBlock: band.firstBlock, firstStep: steps });
    steps += dispatchCount(band, limit);
  }
  // Bands are independent of each other: only the last one used is cached, others are computed again.
  let kept: { readonly firstBlock: number; readonly dispatches: readonly Dispatch[] } | undefined;
  const dispatchesFrom = (firstBlock: number): readonly Dispatch[] => {
    if (kept?.firstBlock !== firstBlock) {
      const [band] = dispatchBands(plan, masks.indexOf, limit, firstBlock);
      kept = { firstBlock, dispatches: dispatchesOfBand(band, limit) };
    }
    return kept.dispatches;
  };
  return {
    steps,
    at: (step) => {
      const { firstBlock, firstStep } = lastAtMost(bands, step);
      const dispatches = dispatchesFrom(firstBlock);
      const own = step - firstStep;
      return { doneBlocks: firstBlock, done: joined(dispatches.slice(0, own).flatMap(areasOf)), current: areasOf(dispatches[own]) };
    },
  };
}

/** The tiles of a run. */
function areasOf({ firstBlock, blocks, stacks, further }: Dispatch): TileArea[] {
  const area = (from: number, to: number, { from: first, tiles }: TileStack, diagonal: boolean): TileArea => ({
    queries: { from, to },
    keys: { from: first, to: first + tiles },
    diagonal,
  });
  const own = further.flatMap((stack, index) =>
    stack === undefined ? [] : [area(firstBlock + index, firstBlock + index + 1, stack, false)],
  );
  return [...stacks.map((stack) => area(firstBlock, firstBlock + blocks, stack, blocks > 1 && stack.tiles > 1)), ...own];
}

/** Merges consecutive areas. */
function joined(areas: readonly TileArea[]): TileArea[] {
  const kept: TileArea[] = [];
  for (const area of areas) {
    const last = kept.at(-1);
    const goesOn =
      last !== undefined &&
      !last.diagonal &&
      !area.diagonal &&
      last.queries.from === area.queries.from &&
      last.queries.to === area.queries.to &&
      last.keys.to === area.keys.from;
    if (goesOn) {
      kept[kept.length - 1] = { ...last, keys: { from: last.keys.from, to: area.keys.to } };
    } else {
      kept.push(area);
    }
  }
  return kept;
}

function lastAtMost<Entry extends { readonly firstStep: number }>(entries: readonly Entry[], step: number): Entry {
  let low = 0;
  let high = entries.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    [low, high] = entries[middle].firstStep <= step ? [middle, high] : [low, middle - 1];
  }
  return entries[low];
}
