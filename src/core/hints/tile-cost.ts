import { isBlackBox } from '../construct/construction';
import { headShare, layerParts, type LayerPlan, type Plan } from '../plan/plan';
import { queryBlockAt } from '../plan/query-blocks';
import { tileRuleOf } from '../scenario/scenario';
import { attentionMs, type DevicePrediction } from '../predict/prediction';

/** The cost of one tile of a plan, over all heads and all layers that read it. */
export interface TileCost {
  /** Layers that read the tile. */
  readonly layers: number;
  /** Their query heads that do, 0-based and ascending; absent where all of them do. */
  readonly heads?: readonly number[];
  /**
   * The attention calls of one such layer that carry the tile, 1-based; where layers or heads differ, of the first kind that reads
   * it.
   */
  readonly firstCall: number;
  readonly lastCall: number;
  /** Attention calls of that layer. */
  readonly layerCalls: number;
  /** Whether the calls are those of the whole query block: under a black box, calls read patterns, not tiles; chosen tiles are not known yet. */
  readonly ofQueryBlock: boolean;
  /** Floating-point operations, including masked and padded pairs. */
  readonly flops: number;
  /** Expected time in milliseconds; null if the device is not calibrated or the construction is not predicted. */
  readonly expectedMs: number | null;
}

/**
 * The cost of a tile, blocks 0-based: under `fused` its own instance, under a black box an equal part of its query block's;
 * `layerParts` tells in which layers. The costs of all tiles add up to the plan's.
 */
export function tileCost(plan: Plan, queryBlock: number, keyBlock: number, prediction: DevicePrediction | null): TileCost {
  const ofQueryBlock = isBlackBox(plan.construction) || tileRuleOf(plan.scenario) !== undefined;
  let cost: TileCost = { layers: 0, firstCall: 0, lastCall: 0, layerCalls: 0, ofQueryBlock, flops: 0, expectedMs: null };
  let instances = 0;
  const layers = new Set<number>();
  const heads = new Set<number>();
  for (const part of layerParts(plan)) {
    const index = tileIndex(part.plan, queryBlock, keyBlock);
    if (index === undefined) {
      continue;
    }
    const block = queryBlockAt(part.plan.queryBlocks, queryBlock);
    const own = block.instances / block.tiles;
    const first = block.firstInstance + (ofQueryBlock ? 0 : index);
    const layerCalls = part.plan.calls.attention / part.layers.length;
    const callAt = (instance: number): number => (instance * layerCalls) / part.plan.instances;
    const calls = {
      firstCall: Math.floor(callAt(first)) + 1,
      lastCall: Math.ceil(callAt(first + (ofQueryBlock ? block.instances : 1))),
      layerCalls,
    };
    part.layers.forEach((layer) => layers.add(layer));
    part.heads?.forEach((head) => heads.add(head));
    cost = {
      ...(cost.layers === 0 ? { ...cost, ...calls } : cost),
      layers: layers.size,
      flops: cost.flops + (part.plan.flopsByPhase.attend * own) / part.plan.instances,
    };
    // Where layers differ, a plan counts the instances of all layers; otherwise those of one.
    instances += plan.parts.length === 0 ? own : own * part.layers.length * headShare(part, plan);
  }
  const some = heads.size > 0 && heads.size < plan.model.heads ? { heads: [...heads].sort((one, other) => one - other) } : {};
  return { ...cost, ...some, expectedMs: prediction && (attentionMs(prediction) * instances) / plan.instances };
}

/** The index of a tile within its query block, or undefined if the block does not read it. */
function tileIndex(plan: LayerPlan, queryBlock: number, keyBlock: number): number | undefined {
  let before = 0;
  for (const { from, to } of queryBlockAt(plan.queryBlocks, queryBlock).runs) {
    if (from <= keyBlock && keyBlock < to) {
      return before + keyBlock - from;
    }
    before += to - from;
  }
  return undefined;
}
