import { causalArrangement } from '../construct/construction';
import { text } from '../l10n';
import type { ScenarioDefinition } from './definition';

/** Definition 2.3: a query sees itself and all earlier keys. */
export interface CausalScenario {
  readonly kind: 'causal';
}

/** The scenario of a decoder-only language model. */
export const causal: ScenarioDefinition<CausalScenario> = {
  kind: 'causal',
  title: text('Causal'),
  description: text('A token sees itself and everything before it.'),
  parameters: [],
  mark: { colour: 'orange', shape: 'square' },
  mask: (_scenario, tokens) => ({
    allows: (query, key) => key <= query,
    visible: (query) => ({ prefixEnd: 0, start: 0, end: query + 1 }),
    visiblePairs: () => (tokens * (tokens + 1)) / 2,
  }),
  expression: () => 'k <= q',
  looksAhead: () => false,
  bound: (_scenario, _blockSize, blocks) => ({
    theorem: 'Theorem 3.4, causal tiles',
    formula: 'T(T + 1)/2',
    tiles: (blocks * (blocks + 1)) / 2,
  }),
  arrangement: (_scenario, request) => causalArrangement(request),
};
