import { formatCount, formatFigure, formatNumberOf, formatShare } from '../format';
import { t } from '../l10n';
import { scenarioLabel } from '../scenario/scenario';
import type { Plan } from '../plan/plan';
import type { DevicePrediction } from '../report/prediction';
import { expectedTime } from './hints';
import type { BlockShare, RangeCost } from './sections';

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
