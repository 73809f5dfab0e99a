import { formatCount, formatDuration, formatFigure, formatNumberOf, formatShare } from '../format';
import { t } from '../l10n';
import { blockEnd, blockStart } from '../plan/partition';
import { callsOfBlocks, instancesOfBlocks, type Plan } from '../plan/plan';
import { richestCandidates } from '../plan/query-blocks';
import { attentionMs, type DevicePrediction } from '../predict/prediction';
import { scenarioLabel } from '../scenario/scenario';
import { blockCost, type BlockCost } from './hints';

/** Consecutive blocks, whole or in part. */
interface BlockShare {
  /** 0-based. */
  readonly fromBlock: number;
  /** The block after the last one. */
  readonly toBlock: number;
  /** Tokens of these blocks within the range. */
  readonly tokens: number;
  /** All tokens of these blocks. */
  readonly ofTokens: number;
  /** Attention calls of these blocks, over all layers. */
  readonly calls: number;
}

/** The cost of a range of a prompt's tokens as queries. */
export interface RangeCost {
  readonly firstToken: number;
  /** The token after the range's last one. */
  readonly endToken: number;
  /** Its blocks in order: at most one partial block, whole blocks, and another partial block. */
  readonly blocks: readonly BlockShare[];
  /**
   * Attention calls over all layers; a block across an edge counts in proportion to its tokens, so this may be fractional.
   */
  readonly calls: number;
  /** Share of the prompt's single-head instances, counted the same way. */
  readonly share: number;
}

/** The cost of a range of tokens. The costs of ranges that partition a prompt add up to the prompt's. */
export function rangeCost(plan: Plan, from: number, to: number): RangeCost {
  // A plan may be cut before the end of its text.
  const [firstToken, endToken] = [from, to].map((token) => Math.min(token, plan.tokens));
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

/** The blocks of a range as `[from, to)` pairs, split at blocks that lie only partly in it. */
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

/** What a heading's hint says of its section, short enough for the end of a line; with a prediction, also the expected time of its attention. */
export function sectionLabel({ firstToken, endToken, share }: RangeCost, prediction: DevicePrediction | null): string {
  const figures = [formatNumberOf(endToken - firstToken, 'token'), formatShare(share)];
  return `§ ${[...figures, ...(prediction === null ? [] : [formatDuration(share * attentionMs(prediction))])].join(' · ')}`;
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
    ...(isShared ? [t('A block across an edge of the section counts in proportion to its tokens, so calls may be fractional.')] : []),
  ].join('\n\n');
}

function isPart({ tokens, ofTokens }: BlockShare): boolean {
  return tokens < ofTokens;
}

function shareText(share: BlockShare): string {
  const { fromBlock, toBlock, tokens, ofTokens } = share;
  const calls = formatNumberOf(share.calls, 'call');
  // Only a single block can be partly in a range.
  if (isPart(share)) {
    return t("{0}/{1} of block {2}'s {3}", formatCount(tokens), formatCount(ofTokens), formatCount(toBlock), calls);
  }
  return toBlock === fromBlock + 1
    ? t('{0} of block {1}', calls, formatCount(toBlock))
    : t('{0} of blocks {1}–{2}', calls, formatCount(fromBlock + 1), formatCount(toBlock));
}

/** The `limit` most expensive parts; equal ones keep their order. */
export function mostExpensive<T>(parts: readonly T[], costOf: (part: T) => number, limit: number): T[] {
  return parts.toSorted((a, b) => costOf(b) - costOf(a)).slice(0, limit);
}

/** The most expensive blocks of a prompt, ties by position. */
export function mostExpensiveBlocks(plan: Plan, limit: number): BlockCost[] {
  const costs = richestCandidates(plan.queryBlocks, limit).map((block) => blockCost(plan, block));
  return mostExpensive(costs, ({ instances }) => instances, limit);
}

/** The first words of a text, in one line of at most `characters` characters. */
export function firstWords(text: string, characters: number): string {
  // White space may take up much of the text; a few times the length surely has enough words, however long the text is.
  const line = text
    .slice(0, 4 * characters)
    .trim()
    .replaceAll(/\s+/g, ' ');
  return line.length <= characters ? line : `${line.slice(0, characters).trimEnd()}…`;
}
