import { callsOfBlocks, instancesOfBlocks } from '../plan/block-calls';
import { blockEnd, blockStart } from '../plan/partition';
import type { Plan } from '../plan/plan';

/** Neighbouring blocks, all of them or a part of one. */
export interface BlockShare {
  /** 0-based. */
  readonly fromBlock: number;
  /** The block after the last one. */
  readonly toBlock: number;
  /** Tokens of these blocks that are in the range. */
  readonly tokens: number;
  /** Tokens of these blocks. */
  readonly ofTokens: number;
  /** Attention calls of these blocks, over all layers. */
  readonly calls: number;
}

/** What a range of a prompt's tokens costs as queries. */
export interface RangeCost {
  readonly firstToken: number;
  /** The token after the range's last one. */
  readonly endToken: number;
  /** Its blocks in order: at most a part of a block, whole blocks, and a part of another. */
  readonly blocks: readonly BlockShare[];
  /** Attention calls over all layers; a block that reaches over an edge is shared by tokens, so this need not be whole. */
  readonly calls: number;
  /** Share of the prompt's single-head instances, shared in the same way. */
  readonly share: number;
}

/** The cost of a range of tokens. Those of ranges that make up a prompt add up to the prompt's. */
export function rangeCost(plan: Plan, firstToken: number, endToken: number): RangeCost {
  const blocks = blocksOf(plan, firstToken, endToken).map(([fromBlock, toBlock]): BlockShare => {
    const start = blockStart(plan, fromBlock);
    const end = blockEnd(plan, toBlock - 1);
    const tokens = Math.min(end, endToken) - Math.max(start, firstToken);
    return { fromBlock, toBlock, tokens, ofTokens: end - start, calls: callsOfBlocks(plan, fromBlock, toBlock) };
  });
  const sum = (of: (share: BlockShare) => number): number =>
    blocks.reduce((total, share) => total + (of(share) * share.tokens) / share.ofTokens, 0);
  return {
    firstToken,
    endToken,
    blocks,
    calls: sum(({ calls }) => calls),
    share: sum(({ fromBlock, toBlock }) => instancesOfBlocks(plan, fromBlock, toBlock)) / plan.instances,
  };
}

/** The blocks of a range, from one to before another, cut where a block is not all in it. */
function blocksOf(plan: Plan, firstToken: number, endToken: number): [number, number][] {
  if (firstToken >= endToken) {
    return [];
  }
  const first = Math.floor(firstToken / plan.blockSize);
  const end = Math.ceil(endToken / plan.blockSize);
  const cuts = new Set([
    first,
    ...(blockStart(plan, first) < firstToken ? [first + 1] : []),
    ...(endToken < blockEnd(plan, end - 1) ? [end - 1] : []),
    end,
  ]);
  const ascending = [...cuts].sort((a, b) => a - b);
  return ascending.slice(1).map((cut, index) => [ascending[index], cut]);
}
