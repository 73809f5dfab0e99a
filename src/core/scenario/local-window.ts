import { localArrangement } from '../construct/construction';
import { text } from '../l10n';
import type { ScenarioDefinition } from './definition';
import type { Mask } from './mask';
import { windowParameter } from './sliding-window';

/**
 * A window on both sides, as in the local layers of ModernBERT: tokens at most `floor(window / 2)` apart see each other.
 */
export interface LocalWindowScenario {
  readonly kind: 'local-window';
  /** Width of the window; a token sees half of it on either side, and itself. */
  readonly window: number;
}

/** The scenario of bidirectional local attention. */
export const localWindow: ScenarioDefinition<LocalWindowScenario> = {
  kind: 'local-window',
  title: text('Local window'),
  description: text('A token sees the tokens at most half a window before and after it.'),
  parameters: [windowParameter],
  mark: { colour: 'red', shape: 'cross' },
  mask: localMask,
  expression: ({ window }) => `abs(q - k) <= ${reachOf(window)}`,
  looksAhead: () => true,
  sameAs: ({ window }, tokens) => (reachOf(window) >= tokens - 1 ? 'full' : undefined),
  reach: ({ window }) => ({ before: reachOf(window), after: reachOf(window), sinks: 0 }),
  // Half the window before a block, and half of it after.
  bound: ({ window }, blockSize, blocks) => ({
    theorem: 'Theorem 5.1, both sides',
    formula: 'T * min(T, 2 * ceil(floor(r/2)/M) + 1)',
    tiles: blocks * Math.min(blocks, 2 * Math.ceil(reachOf(window) / blockSize) + 1),
  }),
  arrangement: (scenario, request) => localArrangement(reachOf(scenario.window), localMask(scenario, request.tokens), request),
};

function localMask({ window }: LocalWindowScenario, tokens: number): Mask {
  const reach = reachOf(window);
  return {
    allows: (query, key) => Math.abs(query - key) <= reach,
    visible: (query) => ({ prefixEnd: 0, start: Math.max(0, query - reach), end: Math.min(tokens, query + reach + 1) }),
    visiblePairs: () => localPairs(tokens, reach),
  };
}

/** Tokens visible on either side. */
function reachOf(window: number): number {
  return Math.floor(window / 2);
}

/** Pairs at most `reach` apart: the diagonal, and two bands of equal size beside it. */
function localPairs(tokens: number, reach: number): number {
  const band = Math.min(reach, tokens - 1);
  return tokens + 2 * (band * tokens - (band * (band + 1)) / 2);
}
