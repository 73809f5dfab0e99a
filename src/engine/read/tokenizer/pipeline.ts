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
