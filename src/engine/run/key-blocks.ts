import { permutation } from '../../core/random';
import type { Plan } from '../../core/plan/plan';
import { blockEnd, blockStart, type Partition } from '../../core/plan/partition';
import { rowsView, type HeadTensor } from './head-tensor';

/** Which keys a key block holds: consecutive ones, or, where the plan samples, those the permutation puts there. */
export interface KeyBlocks {
  /** Number of keys in a block. */
  count(block: number): number;
  /** Copies a block's rows of one head to the front of `target`. */
  copy(tensor: HeadTensor, head: number, block: number, target: Float32Array): void;
}

/** The key blocks of a plan. */
export function keyBlocksOf(plan: Plan): KeyBlocks {
  const cut: Partition = { tokens: plan.tokens, blocks: plan.blocks, blockSize: plan.oracle.inputLength };
  const count = (block: number): number => blockEnd(cut, block) - blockStart(cut, block);
  if (plan.scenario.kind !== 'average-case') {
    return {
      count,
      copy: (tensor, head, block, target) => target.set(rowsView(tensor, head, blockStart(cut, block), blockEnd(cut, block))),
    };
  }
  const order = permutation(plan.tokens, plan.scenario.seed);
  return {
    count,
    copy: (tensor, head, block, target) => {
      const from = blockStart(cut, block);
      for (let row = 0; row < count(block); row += 1) {
        const key = order[from + row];
        target.set(rowsView(tensor, head, key, key + 1), row * tensor.width);
      }
    },
  };
}
