import { InputError } from '../errors';

/** What stands for characters that a flag or a field can hardly have. */
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\' };

/**
 * The text that ends a document, from the option: `\n` in it is a line break, `\t` a tab, `\\` a backslash.
 *
 * @throws InputError for an escape of another kind
 */
export function separatorOf(written: string): string {
  return written.replace(/\\(.?)/gs, (escape, character: string) => {
    const meant = (escapes as Partial<Record<string, string>>)[character];
    if (meant === undefined) {
      throw new InputError(`Separator "${written}" has ${escape}, which stands for nothing; use \\n, \\r, \\t or \\\\.`);
    }
    return meant;
  });
}
