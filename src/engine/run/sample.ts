import { isSampled } from '../../core/scenario/scenario';
import { blockEnd, blockStart } from '../../core/plan/partition';
import type { LayerPlan } from '../../core/plan/plan';

/** Theorem 4.1: the sum over all keys is estimated by N over the sample's size times the sample's sum. */
export function rescaleSample(plan: LayerPlan, logNormaliser: Float64Array): void {
  if (!isSampled(plan.scenario)) {
    return;
  }
  const { tokens } = plan;
  for (let row = 0; row < logNormaliser.length; row += 1) {
    const block = Math.floor((row % tokens) / plan.blockSize);
    logNormaliser[row] += Math.log(tokens / (blockEnd(plan, block) - blockStart(plan, block)));
  }
}
