import { maskArrangement } from '../construct/construction';
import { text } from '../l10n';
import type { ScenarioDefinition } from './definition';
import { ExpressionMask } from './expression/mask';
import { parseMask } from './expression/parse';
import { mentions, partsIn } from './expression/syntax';
import type { PartStarts } from './parts';

/** A mask written by the user, as an expression in the positions of query and key. */
export interface CustomScenario {
  readonly kind: 'custom';
  /** Such as `k <= q and q - k < 64`; see `expression/parse.ts`. */
  readonly expression: string;
  /** Where the parts of the prompt begin that it counts; absent where it counts none, or no prompt is known yet. */
  readonly starts?: PartStarts;
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
      'When query q sees key k, of n tokens: + - * // %, comparisons, and, or, not, abs, min, max; doc(q), msg(q) and sec(q) count documents, messages and sections. A token must see itself.',
    ),
    default: 'k <= q and (q - k < 256 or k % 64 == 0)',
    check: parseMask,
  },
  mark: { colour: 'foreground', shape: 'circle', hollow: true },
  written: true,
  mask: ({ expression, starts }, tokens, budget) => new ExpressionMask(expression, tokens, budget, starts),
  expression: ({ expression }) => expression,
  looksAhead: ({ expression, starts }, tokens, budget) => new ExpressionMask(expression, tokens, budget, starts).looksAhead(),
  dependsOnLength: ({ expression }) => mentions(parseMask(expression), 'n'),
  counts: ({ expression }) => partsIn(parseMask(expression)),
  complaint: ({ expression }) => {
    parseMask(expression);
    return undefined;
  },
  bound: (_scenario, _blockSize, blocks) => ({ theorem: 'Theorem 3.4, any mask', formula: 'T^2', tiles: blocks * blocks }),
  arrangement: ({ expression, starts }, request) =>
    maskArrangement(new ExpressionMask(expression, request.tokens, undefined, starts), text('A custom mask'), request),
};
