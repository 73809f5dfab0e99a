import { formatCount, formatFigure, formatNumberOf, formatShare } from '../format';
import { t } from '../l10n';
import { blockEnd, blockStart } from '../plan/partition';
import { callsOfBlocks, instancesOfBlocks, type Plan } from '../plan/plan';
import type { DevicePrediction } from '../predict/prediction';
import { scenarioLabel } from '../scenario/scenario';
import { blockCost, type BlockCost, expectedTime } from './hints';

/** Neighbouring blocks, all of them or a part of one. */
interface BlockShare {
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

/** The hint at a heading: what its section costs, and with a prediction the time of its share of the attention. */
export function sectionLabel(cost: RangeCost, prediction: DevicePrediction | null): string {
  return `§ ${formatNumberOf(cost.endToken - cost.firstToken, 'token')} · ${sharedCalls(cost.calls)} · ${formatShare(cost.share)}${expectedTime(cost.share, prediction)}`;
}

/** The arithmetic behind a section's hint, as Markdown. */
export function sectionArithmetic(plan: Plan, cost: RangeCost): string {
  const { firstToken, endToken, blocks, calls, share } = cost;
  const tokens = endToken - firstToken;
  if (tokens === 0) {
    return t('**This section** has no token of its own.');
  }
  const isShared = blocks.some(isPart);
  return [
    t(
      '**This section**: tokens {0} to {1}, {2} of {3} ({4}), {5}',
      ...[firstToken + 1, endToken, tokens, plan.tokens].map(formatCount),
      formatShare(tokens / plan.tokens),
      scenarioLabel(plan.scenario),
    ),
    t(
      "{0} = **{1} attention calls**, {2} of the prompt's attention.",
      blocks.map(shareText).join(' + '),
      formatFigure(calls),
      formatShare(share),
    ),
    ...(isShared ? [t('A block that reaches over an edge of the section is shared by tokens, so calls need not be whole.')] : []),
  ].join('\n\n');
}

/** Calls that need not be whole: to the nearest whole number, but never none for something there is. */
function sharedCalls(calls: number): string {
  return calls > 0 && calls < 0.5 ? t('<1 call') : formatNumberOf(Math.round(calls), 'call');
}

function isPart({ tokens, ofTokens }: BlockShare): boolean {
  return tokens < ofTokens;
}

function shareText(share: BlockShare): string {
  const { fromBlock, toBlock, tokens, ofTokens } = share;
  const calls = formatNumberOf(share.calls, 'call');
  // Only a block by itself is in a range in part.
  if (isPart(share)) {
    return t("{0}/{1} of block {2}'s {3}", formatCount(tokens), formatCount(ofTokens), formatCount(toBlock), calls);
  }
  return toBlock === fromBlock + 1
    ? t('{0} of block {1}', calls, formatCount(toBlock))
    : t('{0} of blocks {1}–{2}', calls, formatCount(fromBlock + 1), formatCount(toBlock));
}

/** The first so many of the parts that cost most; those of one cost in the order they came in. */
export function mostExpensive<T>(parts: readonly T[], costOf: (part: T) => number, limit: number): T[] {
  return parts.toSorted((a, b) => costOf(b) - costOf(a)).slice(0, limit);
}

/** The blocks of a prompt that cost most, ties by position. */
export function mostExpensiveBlocks(plan: Plan, limit: number): BlockCost[] {
  const blocks = mostExpensive([...plan.queryBlocks.keys()], (block) => plan.queryBlocks[block].instances, limit);
  return blocks.map((block) => blockCost(plan, block));
}

/** The first words of a text, in one line of at most so many characters. */
export function firstWords(text: string, characters: number): string {
  // White space may take up much of it; a few times as much is sure to have enough words, whatever the text's length.
  const line = text
    .slice(0, 4 * characters)
    .trim()
    .replaceAll(/\s+/g, ' ');
  return line.length <= characters ? line : `${line.slice(0, characters).trimEnd()}…`;
}
