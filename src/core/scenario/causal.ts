import { t } from '../l10n';
import type { MaskDefinition } from './mask';

/** Definition 2.3: a query sees itself and all earlier keys. */
export interface CausalScenario {
  readonly kind: 'causal';
}

/** The scenario of a decoder-only language model. */
export const causal: MaskDefinition<CausalScenario> = {
  kind: 'causal',
  get title(): string {
    return t('Causal');
  },
  get description(): string {
    return t('A token sees itself and everything before it.');
  },
  parameters: [],
  looksAhead: () => false,
  sampled: false,
  mask: (_scenario, tokens) => ({
    allows: (query, key) => key <= query,
    visible: (query) => ({ prefixEnd: 0, start: 0, end: query + 1 }),
    visiblePairs: () => (tokens * (tokens + 1)) / 2,
  }),
};
