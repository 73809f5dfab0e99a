import { type Construction, isBlackBox } from '../construct/construction';
import { formatCount, formatFlops, formatShare } from '../format';
import type { PlanCost } from '../plan/cost';

/** What a run computes outside its black box, which attention alone goes through. */
export interface OutsideBox {
  /** Token-wise calls, of M tokens each: projections, norms and MLPs as graphs of their own. They are among `calls.total`. */
  readonly calls: number;
  /** Floating-point operations of these calls. Embeddings, logits and the merging of states are not counted in a plan. */
  readonly flops: number;
}

/** What a plan computes outside its black box; undefined under `fused`, which has none. */
export function outsideBoxOf(
  construction: Construction,
  { calls, flopsByPhase }: Pick<PlanCost, 'calls' | 'flopsByPhase'>,
): OutsideBox | undefined {
  return isBlackBox(construction) ? { calls: calls.tokenwise, flops: flopsByPhase.project + flopsByPhase.outputAndMlp } : undefined;
}

/** What is outside the box, in words. @param flops of the whole plan */
export function outsideBoxText({ calls, flops: outside }: OutsideBox, flops: number): string {
  const share = flops === 0 ? '' : `, ${formatShare(outside / flops)} of the work`;
  return `projections, norms and MLPs in ${formatCount(calls)} token-wise calls (${formatFlops(outside)}${share}), and uncounted embeddings, logits and merges; attention alone is computed in it`;
}
