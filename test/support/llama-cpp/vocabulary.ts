import { count, list, real, text, type Metadata } from './gguf-file';

const special = ['<unk>', '<s>', '</s>'];

/** llama.cpp's numbers for kinds of tokens. */
const kinds = { normal: 1, unknown: 2, control: 3, byte: 6 };

/** The smallest vocabulary that llama.cpp takes: the special tokens and the bytes. */
const smallestVocabulary = special.length + 256;

/**
 * A SentencePiece vocabulary of placeholders, `smallestVocabulary` tokens or more: the special ones, the bytes, and names for
 * the rest. llama.cpp is given token ids, but loads no model without a tokenizer.
 *
 * @throws Error for fewer
 */
export function placeholderVocabulary(tokens: number): Metadata {
  if (tokens < smallestVocabulary) {
    throw new Error(`llama.cpp takes no SentencePiece vocabulary of fewer than ${smallestVocabulary} tokens; this one has ${tokens}.`);
  }
  const ids = Array.from({ length: tokens }, (_, id) => id);
  return {
    'tokenizer.ggml.model': text('llama'),
    'tokenizer.ggml.tokens': list(ids.map((id) => text(nameOf(id)))),
    'tokenizer.ggml.scores': list(ids.map((id) => real(-id))),
    'tokenizer.ggml.token_type': list(ids.map((id) => ({ type: 'int32', value: kindOf(id) }))),
    'tokenizer.ggml.bos_token_id': count(1),
    'tokenizer.ggml.eos_token_id': count(2),
    'tokenizer.ggml.unknown_token_id': count(0),
  };
}

function nameOf(id: number): string {
  const byte = id - special.length;
  return special[id] ?? (byte < 256 ? `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>` : `token${id}`);
}

function kindOf(id: number): number {
  if (id < special.length) {
    return id === 0 ? kinds.unknown : kinds.control;
  }
  return id < smallestVocabulary ? kinds.byte : kinds.normal;
}
