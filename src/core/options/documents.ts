import { InputError } from '../errors';
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

/** What stands for characters that a flag or a field can hardly have. */
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\' };

/**
 * The text that ends a document, from the option: `\n` in it is a line break, `\t` a tab, `\\` a backslash.
 *
 * @throws InputError for an escape of another kind, and for no text, which is everywhere and ends nothing
 */
export function separatorOf(written: string): string {
  if (written === '') {
    throw new InputError(
      `Separator "" is empty and ends no document; give the text that does, such as ${documentOptions.separator.default}.`,
    );
  }
  return written.replace(/\\(.?)/gs, (escape, character: string) => {
    const meant = (escapes as Partial<Record<string, string>>)[character];
    if (meant === undefined) {
      throw new InputError(`Separator "${written}" has ${escape}, which stands for nothing; use \\n, \\r, \\t or \\\\.`);
    }
    return meant;
  });
}
