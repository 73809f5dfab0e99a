import { type TextSize, textSize } from '../../../core/evaluate/text-size';
import { said } from '../../../core/l10n';
import type { Range } from '../../../core/scenario/scenario';
import type { PromptTokenizer } from './tokenizer';

/**
 * How much of a text the tokens of each range cover, or a sentence that says why that is not known.
 *
 * Exact but for ranges that begin or end within a character: a token that begins there begins where the character does, so that
 * its bytes count with the later range.
 * @param tokenizer that made the tokens of this text, with its own tokens before and after it
 * @param ranges of tokens, ascending
 */
export function coveredText(
  text: string,
  tokenizer: Pick<PromptTokenizer, 'places' | 'source'>,
  ranges: readonly Range[],
): readonly TextSize[] | string {
  if (!tokenizer.source.exact) {
    return said`${tokenizer.source.name} only estimates where the model's tokens stand in the text.`;
  }
  const last = ranges.reduce((most, { to }) => Math.max(most, to), 0);
  // One more than is scored: its beginning ends the last one.
  const places = tokenizer.places(text, last + 1);
  return places.tokens < last
    ? said`The tokenizer does not say where its tokens stand in the text.`
    : ranges.map(({ from, to }) => textSize(text, places.offsetOf(from), places.offsetOf(to)));
}
