import { text } from '../l10n';
/** How much text scored tokens cover. */
export interface TextSize {
  /** In UTF-8. */
  readonly bytes: number;
  /** Words that begin in it: runs of characters that are no white space. */
  readonly words: number;
}

/** Why there is no word perplexity, or no whole interval of it. */
export const wordNotes = {
  none: text('No word begins in the scored text, so there is no word perplexity.'),
  tooLarge: text('Word perplexity is e to the loss for each word, which is beyond the largest number here.'),
  interval: text('The 95% interval of word perplexity goes beyond the largest number.'),
} as const;

/**
 * The size of `[from, to)` of a text, in UTF-16 code units.
 *
 * Ranges that cover a text add up to the whole: a word counts where it begins, and half of a surrogate pair as 2 of its 4 bytes.
 * The units are those of EleutherAI's lm-evaluation-harness (`bits_per_byte`, `word_perplexity`), whose `re.split(r"\s+", text)`
 * counts white space at either end as one more word.
 */
export function textSize(text: string, from = 0, to = text.length): TextSize {
  let [bytes, words] = [0, 0];
  let wasSpace = from === 0 || isSpace(text, from - 1);
  for (let at = from; at < to; at += 1) {
    const unit = text.charCodeAt(at);
    const isHalf = (unit & 0xf800) === 0xd800;
    bytes += unit < 0x80 ? 1 : unit < 0x800 || isHalf ? 2 : 3;
    const space = isSpace(text, at);
    words += wasSpace && !space ? 1 : 0;
    wasSpace = space;
  }
  return { bytes, words };
}

function isSpace(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit < 0x80 ? unit === 32 || (unit >= 9 && unit <= 13) : /\s/.test(text[at]);
}
