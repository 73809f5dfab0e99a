import { formatCount, formatFigure, formatNumberOf, formatShare } from '../format';
import { scenarioLabel } from '../masks';
import type { Plan } from '../plan/plan';
import type { DevicePrediction } from '../report/prediction';
import { expectedTime } from './hints';
import type { BlockShare, RangeCost } from './range-cost';

/** The hint at a heading: what its section costs, and with a prediction the time of its share of the attention. */
export function sectionLabel(cost: RangeCost, prediction: DevicePrediction | null): string {
  return `§ ${formatNumberOf(cost.endToken - cost.firstToken, 'token')} · ${sharedCalls(cost.calls)} · ${formatShare(cost.share)}${expectedTime(cost.share, prediction)}`;
}

/** The arithmetic behind a section's hint, as Markdown. */
export function sectionArithmetic(plan: Plan, cost: RangeCost): string {
  const { firstToken, endToken, blocks, calls, share } = cost;
  const tokens = endToken - firstToken;
  if (tokens === 0) {
    return '**This section** has no token of its own.';
  }
  const isShared = blocks.some(isPart);
  return [
    `**This section**: tokens ${formatCount(firstToken + 1)} to ${formatCount(endToken)}, ${formatCount(tokens)} of ${formatCount(plan.tokens)} (${formatShare(tokens / plan.tokens)}), ${scenarioLabel(plan.scenario)}`,
    `${blocks.map(shareText).join(' + ')} = **${formatFigure(calls)} attention calls**, ${formatShare(share)} of the prompt's attention.`,
    ...(isShared ? ['A block that reaches over an edge of the section is shared by tokens, so calls need not be whole.'] : []),
  ].join('\n\n');
}

/** Calls that need not be whole: to the nearest whole number, but never none for something there is. */
function sharedCalls(calls: number): string {
  return calls > 0 && calls < 0.5 ? '<1 call' : formatNumberOf(Math.round(calls), 'call');
}

function isPart({ tokens, ofTokens }: BlockShare): boolean {
  return tokens < ofTokens;
}

function shareText(share: BlockShare): string {
  const { fromBlock, toBlock, tokens, ofTokens, calls } = share;
  const name = toBlock === fromBlock + 1 ? `block ${formatCount(toBlock)}` : `blocks ${formatCount(fromBlock + 1)}–${formatCount(toBlock)}`;
  return isPart(share) ? `${formatCount(tokens)}/${formatCount(ofTokens)} of ${name}'s ${formatNumberOf(calls, 'call')}` : `${formatNumberOf(calls, 'call')} of ${name}`;
}
