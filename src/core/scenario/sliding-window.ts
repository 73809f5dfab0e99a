import { windowArrangement } from '../construct/construction';
import { text } from '../l10n';
import type { NumberParameter, ScenarioDefinition } from './definition';
import type { Mask } from './mask';

/** Definition 2.4: a query sees itself and the `window - 1` keys before it. */
export interface SlidingWindowScenario {
  readonly kind: 'sliding-window';
  /** r: keys visible to a query, itself included. */
  readonly window: number;
}

/** The parameter r, which other scenarios with a window share. */
export const windowParameter: NumberParameter<'window'> = {
  name: 'window',
  symbol: 'r',
  unit: 'tokens',
  title: text('Window r'),
  description: text('Tokens a token sees, itself included.'),
  minimum: 1,
  maximum: 100_000_000,
  default: 512,
  slider: { minimum: 8, maximum: 16_384 },
};

/** The scenario of local attention. */
export const slidingWindow: ScenarioDefinition<SlidingWindowScenario> = {
  kind: 'sliding-window',
  title: text('Sliding window'),
  description: text('A token sees itself and the r - 1 tokens before it.'),
  parameters: [windowParameter],
  mark: { colour: 'purple', shape: 'triangle' },
  mask: windowMask,
  expression: ({ window }) => `k <= q and q - k < ${window}`,
  looksAhead: () => false,
  sameAs: ({ window }, tokens) => (window >= tokens ? 'causal' : undefined),
  reach: ({ window }) => ({ before: window - 1, after: 0, sinks: 0 }),
  bound: ({ window }, blockSize, blocks) => ({
    theorem: 'Theorem 5.1',
    formula: 'T * min(T, ceil((r - 1)/M) + 1)',
    tiles: blocks * windowTiles(window, blockSize, blocks),
  }),
  arrangement: (scenario, request) => windowArrangement(scenario.window, 0, windowMask(scenario, request.tokens), request),
};

function windowMask({ window }: SlidingWindowScenario, tokens: number): Mask {
  return {
    allows: (query, key) => key <= query && key > query - window,
    visible: (query) => ({ prefixEnd: 0, start: Math.max(0, query - window + 1), end: query + 1 }),
    visiblePairs: () => windowPairs(tokens, window),
  };
}

/** Pairs in a sliding window: all of them, minus the ramp at the start where the window is not yet full. */
export function windowPairs(tokens: number, window: number): number {
  const reach = Math.min(window, tokens);
  return tokens * reach - (reach * (reach - 1)) / 2;
}

/** Key blocks that the windows of one query block can touch. */
export function windowTiles(window: number, blockSize: number, blocks: number): number {
  return Math.min(blocks, Math.ceil((window - 1) / blockSize) + 1);
}
