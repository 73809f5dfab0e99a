import { placeNeedle } from '../../../core/evaluate/needles';
import type { NeedleGridRequest } from '../../../core/evaluate/experiment';
import { InputError } from '../../../core/errors';
import type { PromptTokenizer } from '../../read/tokenizer/tokenizer';
import type { ExperimentText } from '../../experiment/texts';

/** A needle in its haystack with its answer. */
export interface PlacedAnswer {
  readonly length: number;
  readonly depth: number;
  /** What the model reads: context and answer, without the answer's last token. */
  readonly tokens: Int32Array;
  /** The row that predicts the answer's first token; the next ones follow. */
  readonly row: number;
  /** Token ids of the answer. */
  readonly answer: readonly number[];
}

/**
 * Hides a needle in the text of all prompts, at every depth of every length.
 *
 * @throws InputError where the answer has no token, or a length is longer than the text or too short for the needle
 */
export function placeNeedles(
  { needle, question, answer, lengths, depths }: NeedleGridRequest,
  texts: readonly ExperimentText[],
  tokenizer: PromptTokenizer,
): PlacedAnswer[] {
  const answerTokens = tokenizer.encodePart(answer);
  if (answerTokens.length === 0) {
    throw new InputError(`Needle answer "${answer}" has no token; give one of at least one.`);
  }
  const haystack = Int32Array.from(texts.flatMap(({ text }) => [...text]));
  const [{ specials }] = texts;
  return lengths.flatMap((length) =>
    depths.map((depth): PlacedAnswer => {
      const { tokens } = placeNeedle(
        haystack,
        tokenizer.encodePart(needle),
        tokenizer.encodePart(question),
        length,
        depth,
        specials.before,
      );
      return { length, depth, tokens: Int32Array.from([...tokens, ...answerTokens.slice(0, -1)]), row: length - 1, answer: answerTokens };
    }),
  );
}
