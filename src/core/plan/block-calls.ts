import { layerParts } from './parts';
import type { LayerPlan, Plan } from './plan';

/** Attention calls that a query block (0-based) causes over all layers; those of all query blocks add up to the plan's. */
export function callsOfBlock(plan: Plan, block: number): number {
  return callsOfBlocks(plan, block, block + 1);
}

/** Attention calls that the query blocks from one to before another cause over all layers: the sum of each one's. */
export function callsOfBlocks(plan: Plan, from: number, to: number): number {
  return layerParts(plan).reduce((sum, part) => sum + part.layers.length * layerCallsOfBlocks(part.plan, from, to), 0);
}

/** Instances of the query blocks from one to before another, as the plan counts them. */
export function instancesOfBlocks({ queryBlocks }: Pick<Plan, 'queryBlocks'>, from: number, to: number): number {
  const last = queryBlocks[to - 1];
  return last.firstInstance + last.instances - queryBlocks[from].firstInstance;
}

function layerCallsOfBlocks(plan: LayerPlan, from: number, to: number): number {
  const layerCalls = plan.calls.attention / plan.model.layers;
  const callsUpTo = (instance: number): number => Math.ceil((instance * layerCalls) / plan.instances);
  const { firstInstance } = plan.queryBlocks[from];
  return callsUpTo(firstInstance + instancesOfBlocks(plan, from, to)) - callsUpTo(firstInstance);
}
