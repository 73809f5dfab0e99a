import { isBlackBox } from '../construct/construction';
import { lastAtMost } from '../math/search';
import { isSampled, type Range, tileRuleOf } from '../scenario/scenario';
import { attentionWidth, type ModelShape, valueWidthOf } from '../shapes';
import { lengthOf, unionOf } from '../shards/cut';
import { tokenwiseRows } from './cost';
import { hasHeadParts, layerParts, type LayerPlan, partOfLayers, type Plan } from './plan';
import { queryBlockAt } from './query-blocks';

/** What a layer does in one step of a run, in rows of the sequence. */
export interface LayerStep {
  /** Queries that it attends; none where keys that they read are still to come. */
  readonly queries: Range;
  /** Rows that it projects: those that the layer before it attended in this step. */
  readonly incoming: Range;
  /** Keys that these queries read, or later ones: ascending ranges apart from each other, the incoming rows last. */
  readonly keys: readonly Range[];
}

/** A run as steps, each through all layers. */
export interface Segments {
  /** By step, then by layer. */
  readonly steps: readonly (readonly LayerStep[])[];
  /** The most rows of any step from its first query to its last incoming row, and the most keys. */
  readonly queries: number;
  readonly keys: number;
  /** The most keys, and the most rows that wait to be attended, that all layers together hold from one step to the next. */
  readonly carriedKeys: number;
  readonly carriedQueries: number;
}

/** A run whose layers each have the whole sequence at once. @param layers how many */
export function wholeRun({ tokens, model }: Pick<Plan, 'tokens' | 'model'>): Segments {
  const step = wholeStep(tokens);
  return { steps: [Array.from({ length: model.layers }, () => step)], queries: tokens, keys: tokens, carriedKeys: 0, carriedQueries: 0 };
}

/** A layer that has the whole sequence at once. */
export function wholeStep(tokens: number): LayerStep {
  const all = { from: 0, to: tokens };
  return { queries: all, incoming: all, keys: [all] };
}

/** Rows that enter the first layer in a step, about: so many that what is held for their windows is little beside them. */
const segmentRows = 8192;

/** Bytes of tensors up to which a run stays whole, and the share of them that segments may take. */
const [wholeBytes, mostShare] = [256 * 1024 * 1024, 0.5];

/** Bytes of a float32 and of a float64. */
const [floatBytes, doubleBytes] = [4, 8];

/**
 * How a plan is run tile by tile: whole, or in segments where that takes much less memory; its calls are the same in both.
 *
 * Segments are cut from the tiles of the plan alone: a key block is held until the last query block that reads it was attended.
 */
export function segmentsOf(plan: Plan): Segments {
  const whole = wholeRun(plan);
  const bytes = tensorBytes(plan.model, whole);
  if (
    bytes <= wholeBytes ||
    isBlackBox(plan.construction) ||
    isSampled(plan.scenario) ||
    // Any earlier key may be chosen, by all queries of a layer together.
    tileRuleOf(plan.scenario) !== undefined ||
    // Heads would hold keys for windows of their own.
    hasHeadParts(plan) ||
    layerParts(plan).some(({ plan: { tiles } }) => tiles === 0)
  ) {
    return whole;
  }
  // Whole token-wise runs, as the whole prompt is cut into.
  const run = tokenwiseRows(plan.blockSize);
  const segments = cutPlan(plan, Math.ceil(segmentRows / run) * (run / plan.blockSize), mostShare * bytes);
  return segments !== undefined && tensorBytes(plan.model, segments) <= mostShare * bytes ? segments : whole;
}

/** Tensors of the layers that are alive at once, in bytes: residual stream; queries, keys, values and output; normalisers in float64. */
export function tensorBytes(model: ModelShape, { queries, keys, carriedKeys, carriedQueries }: Omit<Segments, 'steps'>): number {
  const ofKey = model.keyValueHeads * (model.headWidth + valueWidthOf(model));
  const ofQuery = attentionWidth(model) - ofKey;
  const carried = carriedKeys * ofKey + carriedQueries * (model.width + model.heads * model.headWidth);
  return floatBytes * (queries * (model.width + ofQuery) + keys * ofKey + carried) + doubleBytes * queries * model.heads;
}

/**
 * A plan in segments of so many query blocks, or up to twice as many, that end where the instances of every layer fill whole calls: so
 * the calls are those of the plan.
 *
 * @param mostBytes most bytes of the keys that are held to the end
 * @returns undefined where no such end is near, or keys take more
 */
export function cutPlan(plan: Plan, least: number, mostBytes = Infinity): Segments | undefined {
  const { blockSize, blocks, tokens } = plan;
  const parts = layerParts(plan).map((part) => part.plan);
  const sights = parts.map(blockSight);
  const partOf = partOfLayers(plan);
  const perCall = plan.oracle.heads * plan.oracle.layers;
  const filled = (part: number, block: number): boolean => (sights[part].before[block] * parts[part].model.heads) % perCall === 0;
  const rowsOf = ({ from, to }: Range): Range => ({ from: from * blockSize, to: Math.min(tokens, to * blockSize) });
  /** Query blocks that each layer has attended. */
  const done = partOf.map(() => 0);
  const steps: LayerStep[][] = [];
  const kept = partOf.reduce((sum, part) => sum + sights[part].keptBefore(Math.max(0, blocks - 2 * least)), 0);
  if (tensorBytes(plan.model, { queries: 0, keys: 0, carriedKeys: kept * blockSize, carriedQueries: 0 }) > mostBytes) {
    return undefined;
  }
  const size = { queries: 0, keys: 0, carriedKeys: 0, carriedQueries: 0 };
  for (let end = 0; end < blocks;) {
    const ends = nextEnds(Math.min(blocks, end + least), Math.min(blocks, end + 2 * least), (first) => {
      const found: number[] = [];
      for (const part of partOf) {
        found.push(sights[part].ready(found.at(-1) ?? first));
      }
      return found.every((own, layer) => own === blocks || filled(partOf[layer], own)) ? found : undefined;
    });
    if (ends === undefined) {
      return undefined;
    }
    let incoming = { from: end, to: ends.entry };
    const step: LayerStep[] = [];
    const carried = { keys: 0, queries: 0 };
    for (const [layer, part] of partOf.entries()) {
      const queries = { from: done[layer], to: ends.layers[layer] };
      const own = { queries: rowsOf(queries), incoming: rowsOf(incoming), keys: sights[part].held(queries.from, incoming.to).map(rowsOf) };
      step.push(own);
      size.queries = Math.max(size.queries, own.incoming.to - own.queries.from);
      size.keys = Math.max(size.keys, lengthOf(own.keys));
      carried.keys += lengthOf(sights[part].held(queries.to, incoming.to).map(rowsOf));
      carried.queries += own.incoming.to - own.queries.to;
      incoming = queries;
      done[layer] = queries.to;
    }
    size.carriedKeys = Math.max(size.carriedKeys, carried.keys);
    size.carriedQueries = Math.max(size.carriedQueries, carried.queries);
    steps.push(step);
    end = ends.entry;
  }
  return { steps, ...size };
}

/** The first end of a step, from `least` to `most`, at which every layer ends where it may. */
function nextEnds(
  least: number,
  most: number,
  endsAt: (entry: number) => number[] | undefined,
): { readonly entry: number; readonly layers: readonly number[] } | undefined {
  for (let entry = least; entry <= most; entry += 1) {
    const layers = endsAt(entry);
    if (layers !== undefined) {
      return { entry, layers };
    }
  }
  return undefined;
}

/** What the query blocks of a kind of layer read, as far as steps depend on it. */
interface BlockSight {
  /** Tiles of all query blocks before each `[T + 1]`. */
  readonly before: Float64Array;
  /** How many query blocks can be attended once so many key blocks were projected. */
  readonly ready: (projected: number) => number;
  /** How many key blocks before `end` are read to the end of the sequence. */
  readonly keptBefore: (end: number) => number;
  /** Key blocks before `end` that query blocks from `from` on read. */
  readonly held: (from: number, end: number) => readonly Range[];
}

/** With more tiles in a kind of layer, all key blocks are held to the end: to find their last readers takes a nanosecond a tile. */
const mostTiles = 2 ** 24;

function blockSight({ queryBlocks, blocks, tiles }: LayerPlan): BlockSight {
  const before = new Float64Array(blocks + 1);
  /** The key block after the last that any query block up to this one reads. */
  const needs = new Int32Array(blocks);
  const lastReader = new Int32Array(blocks).fill(blocks - 1);
  let most = 0;
  for (let block = 0; block < blocks; block += 1) {
    const { runs, tiles: own } = queryBlockAt(queryBlocks, block);
    before[block + 1] = before[block] + own;
    most = Math.max(most, block + 1, ...runs.map(({ to }) => to));
    needs[block] = most;
    if (tiles <= mostTiles) {
      runs.forEach(({ from, to }) => lastReader.fill(block, from, to));
    }
  }
  // Key blocks that are read to the end, such as sinks; and how far the others are behind their last reader, as windows are long.
  const kept = unionOf(
    Array.from(lastReader.keys(), (block) => ({ from: block, to: lastReader[block] === blocks - 1 ? block + 1 : block })),
  );
  const reach = lastReader.reduce((longest, last, block) => (last === blocks - 1 ? longest : Math.max(longest, last - block)), 0);
  /** Layers of a kind ask the same, one after another. */
  let latest: { readonly from: number; readonly end: number; readonly ranges: readonly Range[] } | undefined;
  return {
    before,
    ready: (projected) => (needs[0] > projected ? 0 : lastAtMost(needs, blocks, projected) + 1),
    keptBefore: (end) => lengthOf(kept.map(({ from, to }) => ({ from: Math.min(from, end), to: Math.min(to, end) }))),
    held: (from, end) => {
      if (latest?.from !== from || latest.end !== end) {
        const ranges = kept.map((range) => ({ from: range.from, to: Math.min(range.to, end) }));
        for (let block = Math.max(0, from - reach); block < end; block += 1) {
          if (lastReader[block] >= from && lastReader[block] < blocks - 1) {
            ranges.push({ from: block, to: block + 1 });
          }
        }
        latest = { from, end, ranges: unionOf(ranges) };
      }
      return latest.ranges;
    },
  };
}
