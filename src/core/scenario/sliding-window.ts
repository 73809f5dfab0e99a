import { t } from '../l10n';
import type { MaskDefinition, ScenarioParameter } from './mask';

/** Definition 2.4: a query sees itself and the `window - 1` keys before it. */
export interface SlidingWindowScenario {
  readonly kind: 'sliding-window';
  /** r: keys visible to a query, itself included. */
  readonly window: number;
}

/** The parameter r, shared with the attention-sink scenario. */
export const windowParameter: ScenarioParameter<'window'> = {
  name: 'window',
  get title(): string {
    return t('Window r');
  },
  get description(): string {
    return t('Tokens a token sees, itself included.');
  },
  minimum: 1,
  maximum: 100_000_000,
  default: 512,
};

/** The scenario of local attention. */
export const slidingWindow: MaskDefinition<SlidingWindowScenario> = {
  kind: 'sliding-window',
  get title(): string {
    return t('Sliding window');
  },
  get description(): string {
    return t('A token sees itself and the r - 1 tokens before it.');
  },
  parameters: [windowParameter],
  looksAhead: () => false,
  sampled: false,
  mask: ({ window }, tokens) => ({
    allows: (query, key) => key <= query && key > query - window,
    visible: (query) => ({ prefixEnd: 0, start: Math.max(0, query - window + 1), end: query + 1 }),
    visiblePairs: () => windowPairs(tokens, window),
  }),
};

/** Pairs in a sliding window: all of them, less the ramp at the start where the window is not yet filled. */
export function windowPairs(tokens: number, window: number): number {
  const reach = Math.min(window, tokens);
  return tokens * reach - (reach * (reach - 1)) / 2;
}
