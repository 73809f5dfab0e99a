import { InputError } from '../errors';
import { scoredFrom } from './score';

/** Special tokens that a model expects around a text, such as the beginning of sequence. */
export interface SpecialTokens {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** One run of the model over a part of a text, and the rows of it that are scored. */
export interface EvaluationWindow {
  /** Tokens `[start, end)` of the text, special tokens not counted. */
  readonly start: number;
  readonly end: number;
  /** Token ids that the model reads, special tokens included. */
  readonly tokens: Int32Array;
  /** Rows `[from, to)` whose predictions are scored. A row's index is its position in the context. */
  readonly from: number;
  readonly to: number;
  /** The tokens that follow those rows; undefined for a model that does not predict the next token. */
  readonly targets: Int32Array | undefined;
}

/**
 * Cuts a text into windows of `context` tokens whose starts are `stride` apart.
 *
 * Every token of the text is scored once, in the first window that holds it: with a stride below the context, all but the
 * first window score only what the window before did not hold, and give it at least `context - stride` tokens of context.
 * A model that predicts the next token scores it in the row before; the first token of a window has none, unless special
 * tokens come first. The last window may be short. With a `score` other than `all`, rows before its first one are not scored,
 * and windows that have no other are left out.
 * @param text token ids without special tokens
 * @param context tokens of a window, special tokens included
 * @throws InputError where the context has no room for two tokens beside the special ones, and for a stride that would skip tokens
 */
export function cutWindows(
  text: Int32Array,
  { before, after }: SpecialTokens,
  context: number,
  stride: number,
  predictsNext: boolean,
  score: string,
): EvaluationWindow[] {
  const room = context - before.length - after.length;
  if (room < 2) {
    throw new InputError(
      `A context of ${context} tokens has no room beside ${before.length + after.length} special tokens; use at least ${context - room + 2}.`,
    );
  }
  if (stride < 1 || stride > context) {
    throw new InputError(`A stride of ${stride} would leave tokens out of windows of ${context}; use a whole number from 1 to ${context}.`);
  }
  // A stride of the whole context means windows without overlap, and the special tokens take room from the text.
  const step = Math.min(stride, room);
  const windows: EvaluationWindow[] = [];
  for (let start = 0, scored = 0; scored < text.length; start += step) {
    const end = Math.min(text.length, start + room);
    const tokens = Int32Array.from([...before, ...text.subarray(start, end), ...after]);
    // The row of a text's token, less one where that row is to be predicted.
    const rowOf = (token: number): number => before.length + token - start - Number(predictsNext);
    const from = Math.max(scoredFrom(score, tokens.length), rowOf(scored));
    const to = rowOf(end);
    if (to > from) {
      windows.push({ start, end, tokens, from, to, targets: predictsNext ? tokens.slice(from + 1, to + 1) : undefined });
    }
    scored = end;
  }
  return windows;
}

/**
 * The special tokens that a tokenizer puts around a text.
 *
 * @param whole the text's token ids with them
 * @param text the same without
 */
export function specialTokens(whole: Int32Array, text: Int32Array): SpecialTokens {
  const extra = whole.length - text.length;
  for (let count = 0; count <= extra; count += 1) {
    if (text.every((token, index) => whole[count + index] === token)) {
      return { before: [...whole.subarray(0, count)], after: [...whole.subarray(count + text.length)] };
    }
  }
  // A tokenizer whose special tokens change those of the text: leave them out, rather than guess.
  return { before: [], after: [] };
}
