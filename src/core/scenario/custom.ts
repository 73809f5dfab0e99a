import { maskArrangement } from '../construct/construction';
import { text } from '../l10n';
import type { ScenarioDefinition } from './definition';
import { ExpressionMask } from './expression/mask';
import { parseMask } from './expression/parse';
import { mentions } from './expression/syntax';

/** A mask written by the user, as an expression in the positions of query and key. */
export interface CustomScenario {
  readonly kind: 'custom';
  /** Such as `k <= q and q - k < 64`; see `expression/parse.ts`. */
  readonly expression: string;
}

/** The scenario of a mask by expression. */
export const custom: ScenarioDefinition<CustomScenario> = {
  kind: 'custom',
  title: text('Custom'),
  description: text('A token q sees the tokens k for which your expression holds.'),
  parameters: [],
  text: {
    name: 'expression',
    flag: 'mask',
    symbol: 'expression',
    title: text('Mask'),
    description: text(
      'When query q sees key k, of n tokens: + - * // %, comparisons, and, or, not, abs, min, max. A token must see itself.',
    ),
    default: 'k <= q and (q - k < 256 or k % 64 == 0)',
    check: parseMask,
  },
  mark: { colour: 'foreground', shape: 'ring' },
  written: true,
  mask: ({ expression }, tokens, budget) => new ExpressionMask(expression, tokens, budget),
  expression: ({ expression }) => expression,
  looksAhead: ({ expression }, tokens, budget) => new ExpressionMask(expression, tokens, budget).looksAhead(),
  dependsOnLength: ({ expression }) => mentions(parseMask(expression), 'n'),
  complaint: ({ expression }) => {
    parseMask(expression);
    return undefined;
  },
  bound: (_scenario, _blockSize, blocks) => ({ theorem: 'Theorem 3.4, any mask', formula: 'T^2', tiles: blocks * blocks }),
  arrangement: ({ expression }, request) => maskArrangement(new ExpressionMask(expression, request.tokens), 'A custom mask', request),
};
