import { AddedToken as LibraryToken, SequenceDecoder, SequencePostProcessor } from '@huggingface/tokenizers';
import { InputError } from '../../../core/errors';
import { quoted } from '../../../core/text/printable';
import type { AddedToken, AddedTokens } from './added-tokens';
import { fieldsOf, type Json, kindOf } from './json';
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

/**
 * Reads `decoder` of a `tokenizer.json`: turns ids into text, as the library does.
 *
 * @param tokens by id; ids without one have no text
 * @param added tokens that are no bytes
 * @throws InputError for what is no decoder
 */
export function decoderOf(json: Json, tokens: readonly (string | undefined)[], added: readonly AddedToken[]): Codec['decode'] {
  if (json === null || json === undefined) {
    return (ids) => ids.map((id) => tokens[id] ?? '').join(' ');
  }
  kindOf(fieldsOf(json, 'decoder'));
  const { decoders } = new SequenceDecoder({ type: 'Sequence', decoders: [json] } as never);
  const [decoder] = decoders;
  decoder.added_tokens = added.map(
    ({ id, content, left, right, alone, normalized }) =>
      new LibraryToken({ id, content, lstrip: left, rstrip: right, single_word: alone, normalized, special: true }),
  );
  return (ids) => decoder.decode(ids.map((id) => tokens[id] ?? ''));
}

/** Stands for the text among what a post-processor puts around it. */
const text = '\0text';

/**
 * Reads `post_processor` of a `tokenizer.json`: the ids that it puts around a text.
 *
 * @throws InputError for what is no post-processor, and for a token that has no id
 */
export function specialsOf(json: Json, idOf: (token: string) => number | undefined): Pick<Codec, 'prefix' | 'suffix'> {
  if (json === null || json === undefined) {
    return { prefix: [], suffix: [] };
  }
  kindOf(fieldsOf(json, 'post_processor'));
  const { tokens } = new SequencePostProcessor({ type: 'Sequence', processors: [json] } as never).post_process([text], undefined, true);
  const ids = tokens.map((token) => {
    const id = token === text ? -1 : idOf(token);
    if (id === undefined) {
      throw new InputError(`its post-processor adds ${quoted(token)}, which is no token`);
    }
    return id;
  });
  const at = ids.indexOf(-1);
  if (at < 0) {
    throw new InputError('its post-processor leaves the text out');
  }
  return { prefix: ids.slice(0, at), suffix: ids.slice(at + 1) };
}
