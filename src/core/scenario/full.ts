import { t } from '../l10n';
import type { Mask, MaskDefinition } from './mask';

/** Definition 2.1: every query sees every key. */
export interface FullScenario {
  readonly kind: 'full';
}

/** The unmasked scenario. */
export const full: MaskDefinition<FullScenario> = {
  kind: 'full',
  get title(): string {
    return t('Full');
  },
  get description(): string {
    return t('Every token sees every token.');
  },
  parameters: [],
  looksAhead: () => true,
  sampled: false,
  mask: (_scenario, tokens) => fullMask(tokens),
};

/** The mask that hides nothing in a sequence of `tokens` tokens. */
export function fullMask(tokens: number): Mask {
  return {
    allows: () => true,
    visible: () => ({ prefixEnd: 0, start: 0, end: tokens }),
    visiblePairs: () => tokens * tokens,
  };
}
