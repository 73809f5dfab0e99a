import { type RoundedRow, type RoundingBound, roundingBound } from '../../../core/math/rounding';
import { tilesPerDispatch } from '../../../core/plan/attention-cost';
import type { LayerPlan } from '../../../core/plan/plan';
import { lengthOf } from '../../../core/shards/cut';
import type { Range } from '../../../core/scenario/scenario';
import type { ExactRow } from './exact-rows';

/**
 * By what a construction magnifies the rounding of a sum (`RoundedRow.loss`). For `paper`, a call t of M keys loses `A_t/e^c`, which
 * is at most M times e to the spread; and where sums are subtracted, it weighs `A_t/A` in a row's sum A.
 *
 * @param spread how far scores lie apart, in nats
 */
export function lossOf({ construction, blockSize, tokens, scenario }: LayerPlan, ranges: readonly Range[], spread: number): number {
  if (construction !== 'paper') {
    return 1;
  }
  const ofCall = Math.min(blockSize, tokens) * Math.exp(spread);
  return 'window' in scenario ? Math.max(1, ofCall / lengthOf(ranges)) * ofCall : ofCall;
}

/** How far a row of a run may be off by rounding alone. */
export function rowBound(
  plan: LayerPlan,
  { products, spread, sight: { ranges } }: Pick<ExactRow, 'products' | 'spread' | 'sight'>,
  rounded: ProductRounding,
): RoundingBound {
  return roundingBound({
    width: plan.model.headWidth,
    products,
    callKeys: summedKeys(plan, rounded),
    calls: plan.blocks,
    precision: rounded.precision,
    accumulation: rounded.accumulation,
    loss: lossOf(plan, ranges, spread),
  });
}

/** Most keys that one product adds up: those of a tile, or of all tiles that a run of `fused` reads side by side in float32. */
export function summedKeys(plan: LayerPlan, { precision }: Pick<ProductRounding, 'precision'>): number {
  const rows = Math.min(plan.tokens, plan.blockSize);
  const isSideBySide = plan.construction === 'fused' && precision === 'float32';
  return isSideBySide ? Math.min(plan.tokens, rows * tilesPerDispatch(rows, plan.scoreBytes)) : rows;
}

/** How the products of a run are rounded. */
export type ProductRounding = Pick<RoundedRow, 'precision' | 'accumulation'>;
