import { t } from '../l10n';
import type { MaskDefinition } from './mask';
import { windowParameter } from './sliding-window';

/** A window on both sides, as the local layers of ModernBERT have it: tokens at most `floor(window / 2)` apart see each other. */
export interface LocalWindowScenario {
  readonly kind: 'local-window';
  /** Width of the window; a token sees half of it to either side, and itself. */
  readonly window: number;
}

/** The scenario of bidirectional local attention. */
export const localWindow: MaskDefinition<LocalWindowScenario> = {
  kind: 'local-window',
  get title(): string {
    return t('Local window');
  },
  get description(): string {
    return t('A token sees the tokens at most half a window before and after it.');
  },
  parameters: [windowParameter],
  looksAhead: () => true,
  sampled: false,
  mask: ({ window }, tokens) => {
    const reach = Math.floor(window / 2);
    return {
      allows: (query, key) => Math.abs(query - key) <= reach,
      visible: (query) => ({ prefixEnd: 0, start: Math.max(0, query - reach), end: Math.min(tokens, query + reach + 1) }),
      visiblePairs: () => localPairs(tokens, reach),
    };
  },
};

/** Pairs at most `reach` apart: the diagonal, and two bands of equal size beside it. */
function localPairs(tokens: number, reach: number): number {
  const band = Math.min(reach, tokens - 1);
  return tokens + 2 * (band * tokens - (band * (band + 1)) / 2);
}
