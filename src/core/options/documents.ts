import { text } from '../l10n';
import type { SimulationOption } from './option';

/** What a packed text is cut into, and what that means for the model's positions. */
export const documentOptions = {
  separator: {
    flag: 'separator',
    symbol: 'text',
    title: text('Document separator'),
    description: text(
      'Text that ends a document, for `doc(q)` in masks. In it `\\n` is a line break and `\\t` a tab: `\\n---\\n` is a line.',
    ),
    value: { type: 'text' },
    default: '<|endoftext|>',
    group: 'scenario',
  },
  resetPositions: {
    flag: 'reset-positions',
    title: text('Reset positions'),
    description: text(
      "Begin the model's positions again with 0 in every document, as in training on packed documents. The model's own attention, which quality is measured against, keeps its own.",
    ),
    value: { type: 'switch' },
    default: false,
    group: 'scenario',
  },
} as const satisfies Readonly<Record<string, SimulationOption>>;
