import { fullTiles } from '../construct/tiles';
import { text } from '../l10n';
import type { ScenarioDefinition } from './definition';
import type { Mask } from './mask';

/** Definition 2.1: every query sees every key. */
export interface FullScenario {
  readonly kind: 'full';
}

/** The unmasked scenario. */
export const full: ScenarioDefinition<FullScenario> = {
  kind: 'full',
  title: text('Full'),
  description: text('Every token sees every token.'),
  parameters: [],
  mark: { colour: 'blue', shape: 'circle' },
  mask: (_scenario, tokens) => fullMask(tokens),
  expression: () => 'k >= 0',
  looksAhead: () => true,
  bound: (_scenario, _blockSize, blocks) => ({ theorem: 'Theorem 3.4', formula: 'T^2', tiles: blocks * blocks }),
  arrangement: (_scenario, request) => fullTiles(request),
};

/** The mask that hides nothing in a sequence of `tokens` tokens. */
export function fullMask(tokens: number): Mask {
  return {
    allows: () => true,
    visible: () => ({ prefixEnd: 0, start: 0, end: tokens }),
    visiblePairs: () => tokens * tokens,
  };
}
