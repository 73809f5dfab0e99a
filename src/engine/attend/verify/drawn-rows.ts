import { uniform } from '../../../core/math/random';
import { blockEnd, blockStart } from '../../../core/plan/partition';
import type { LayerPlan } from '../../../core/plan/plan';
import type { Range } from '../../../core/scenario/scenario';

/**
 * The rows of a head that are checked: one at random of each query block, so that what is wrong in a whole block cannot lie between
 * them. Every head of every layer draws its own.
 */
export class DrawnRows {
  /**
   * @param heads of a layer, all of them
   * @param own the rows to draw from
   * @param kinds of rows in a block, at most: a mask that has to be asked about every pair is asked about so many rows only
   */
  constructor(
    private readonly plan: Pick<LayerPlan, 'tokens' | 'blocks' | 'blockSize'>,
    private readonly heads: number,
    private readonly own: Range,
    private readonly seed: number,
    private readonly kinds = Infinity,
  ) {}

  /** Ascending. @param step rows of whole blocks, from which those are wanted */
  of(layer: number, head: number, step: Range): number[] {
    const { plan, heads, own, seed, kinds } = this;
    const rows: number[] = [];
    const first = Math.floor(own.from / plan.blockSize);
    const start = Math.max(first, Math.floor(step.from / plan.blockSize));
    const end = Math.min(own.to, step.to);
    // A head draws a number for each block, whichever of them are wanted.
    const next = uniform(seed + stride * (1 + layer * heads + head), start - first);
    for (let block = start; block < plan.blocks && blockStart(plan, block) < end; block += 1) {
      const from = Math.max(own.from, blockStart(plan, block));
      const to = Math.min(own.to, blockEnd(plan, block));
      const draw = next();
      const kind = Math.floor(draw * kinds);
      rows.push(from + Math.floor((to - from) * (kinds < to - from ? uniform(seed + stride * (block * kinds + kind))() : draw)));
    }
    return rows;
  }
}

/** Distance of the seeds of heads: an odd number, so that all of 2^32 are reached. */
const stride = 0x9e3779b9;
