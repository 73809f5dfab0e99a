import type { AddedTokens } from './added-tokens';
import type { Model } from './model';
import type { Normalizer } from './normalizer';
import type { PreTokenizer } from './pre-tokenizer';

/** The parts of a tokenizer, in the order in which text goes through them. */
export interface Pipeline {
  /** Tokens found in the text as it is. */
  readonly rawTokens: AddedTokens;
  readonly normalizer: Normalizer;
  /** Tokens found in the normalized text between those. */
  readonly normalizedTokens: AddedTokens;
  readonly preTokenizer: PreTokenizer;
  readonly model: Model;
}

/** What turns text into tokens and back: a model's own tokenizer, or an encoding that stands in for it. */
export interface Codec {
  readonly pipeline: Pipeline;
  /** Ids before and after every text, such as those of the beginning and the end of a sequence. */
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
  /** The text of token ids; an incomplete character becomes a replacement character. */
  readonly decode: (ids: readonly number[]) => string;
  /** Why its tokens may differ from those of the model's training; null if they do not. */
  readonly approximation: string | null;
}
