import { said, text } from '../../../../core/l10n';
import { quoted } from '../../../../core/text/printable';
import type { Metadata } from '../../model/gguf/metadata';
import type { JsonObject } from '../json';
import { mergesByScore } from './merges-by-score';
import { preTokenizerNamed } from './pre-tokenizers';
import { GgufVocabulary, tokenKinds } from './vocabulary';

/** A tokenizer as `tokenizer.json` would define it, with why it may differ from the model's; or why the file's own cannot be one. */
export type GgufDefinition =
  | { readonly definition: JsonObject; readonly approximation?: string }
  | { readonly definition: undefined; readonly reason: string; readonly tokens: number };

/** What SentencePiece writes for a space. */
const blank = '\u2581';

/**
 * The definition of the tokenizer of a GGUF file, from the metadata that llama.cpp's converter writes: so there is one tokenizer,
 * whatever a model is stored in.
 *
 * @param metadata with the keys of `tokenizerKeys` whole
 * @param path named in errors
 * @throws InputError for metadata that contradict themselves: numbers of values, ids, tokens that are there twice
 */
export function ggufDefinition(metadata: Metadata, path: string): GgufDefinition {
  const vocabulary = GgufVocabulary.of(metadata, path);
  // A name that is no text is an error, and not one that is unknown.
  vocabulary?.text('tokenizer.ggml.pre');
  const reason = unreadTokenizer(metadata);
  const definition = definitions.get(vocabulary?.text('tokenizer.ggml.model') ?? '');
  if (vocabulary === undefined || definition === undefined || reason !== undefined) {
    return { definition: undefined, reason: reason ?? absent, tokens: vocabulary?.tokens.length ?? 0 };
  }
  return definition(vocabulary);
}

const absent = text('The GGUF file has no tokenizer.');

/** By `tokenizer.ggml.model`. */
const definitions: ReadonlyMap<string, (vocabulary: GgufVocabulary) => GgufDefinition> = new Map([
  ['gpt2', bytePair],
  ['llama', sentencePiece],
  ['gemma4', (vocabulary) => ({ definition: gemma4(vocabulary) })],
  ['t5', (vocabulary) => ({ definition: unigram(vocabulary) })],
  ['bert', (vocabulary) => ({ definition: wordPiece(vocabulary) })],
]);

/** Why the tokenizer that metadata name is not read, a sentence; undefined if it is. Its lists need not be there. */
export function unreadTokenizer(metadata: Metadata): string | undefined {
  const [model, pre] = ['model', 'pre'].map((key) => metadata.get(`tokenizer.ggml.${key}`));
  if (typeof model !== 'string') {
    return absent;
  }
  if (!definitions.has(model)) {
    return unread('model', model);
  }
  if (model !== 'gpt2') {
    return undefined;
  }
  if (typeof pre !== 'string') {
    return text('The GGUF file does not name its pre-tokenizer.');
  }
  return preTokenizerNamed(pre) === undefined ? unread('pre', pre) : undefined;
}

function unread(key: string, value: string): string {
  return said`The GGUF file's tokenizer.ggml.${key} ${quoted(value)} is not read.`;
}

/** Byte-pair encoding over bytes. */
function bytePair(vocabulary: GgufVocabulary): GgufDefinition {
  const name = vocabulary.text('tokenizer.ggml.pre') ?? '';
  const { normalizer, pre_tokenizer, ignoreMerges, addsBeginning } =
    preTokenizerNamed(name) ?? vocabulary.stop(said`has a tokenizer.ggml.pre of ${quoted(name)}`);
  return {
    definition: {
      added_tokens: addedTokens(vocabulary),
      normalizer,
      pre_tokenizer,
      post_processor: around(vocabulary, added(vocabulary, 'bos', addsBeginning), added(vocabulary, 'eos', false)),
      decoder: { type: 'ByteLevel' },
      model: { type: 'BPE', vocab: vocabulary.ids, merges: vocabulary.merges, ignore_merges: ignoreMerges },
    },
  };
}

/** SentencePiece's byte-pair encoding: a text is one piece in which spaces are characters, and merges follow from scores. */
function sentencePiece(vocabulary: GgufVocabulary): GgufDefinition {
  const { architecture } = vocabulary;
  const stored = vocabulary.numbers('tokenizer.ggml.scores') ?? vocabulary.stop(text('has no tokenizer.ggml.scores'));
  const prefixed = vocabulary.flag('tokenizer.ggml.add_space_prefix') ?? true;
  const isGemma = architecture.startsWith('gemma');
  // Gemma's runs of blanks have the highest score in its own file, for which the converter writes that of any added token.
  const kinds = vocabulary.numbers('tokenizer.ggml.token_type') ?? [];
  const scores = isGemma ? stored.map((score, id) => (kinds[id] === tokenKinds.userDefined ? 0 : score)) : stored;
  const ids = isGemma ? blankedIds(vocabulary) : vocabulary.ids;
  // Phi-3's tokens take the space after them, which a GGUF file does not say. The exceptions are those of its tokenizer.json.
  const taking = (token: string): boolean => architecture === 'phi3' && !/^<(?:unk|s|\|endoftext\|)>$/.test(token);
  const definition = {
    added_tokens: addedTokens(vocabulary, (content) => ({ content: isGemma ? blanked(content) : content, rstrip: taking(content) })),
    ...ofBlanks(prefixed),
    post_processor: around(vocabulary, added(vocabulary, 'bos', true), added(vocabulary, 'eos', false)),
    model: {
      type: 'BPE',
      unk_token: vocabulary.token('tokenizer.ggml.unknown_token_id', 0),
      fuse_unk: true,
      byte_fallback: true,
      vocab: ids,
      merges: mergesByScore(ids, scores, isGemma ? 'by length' : 'by id'),
    },
  };
  // As it writes them where it has no scores.
  return new Set(stored.filter((_, id) => (kinds[id] ?? tokenKinds.normal) === tokenKinds.normal)).size > 1
    ? { definition }
    : { definition, approximation: text('The GGUF file has one score for all its tokens, so that the order of merges is presumed.') };
}

/** Gemma 4's, which is Gemma 3's with its merges written down. */
function gemma4(vocabulary: GgufVocabulary): JsonObject {
  return {
    added_tokens: addedTokens(vocabulary, (content) => ({ content: blanked(content) })),
    ...ofBlanks(false),
    post_processor: around(vocabulary, added(vocabulary, 'bos', true), added(vocabulary, 'eos', false)),
    model: {
      type: 'BPE',
      unk_token: vocabulary.token('tokenizer.ggml.unknown_token_id'),
      fuse_unk: true,
      byte_fallback: true,
      vocab: blankedIds(vocabulary),
      merges: vocabulary.merges,
    },
  };
}

/** Gemma's tokens of spaces are written with `▁`, which the converter replaces: they are no tokens of the text as it is. */
function blanked(token: string): string {
  return /^ +$/.test(token) ? blank.repeat(token.length) : token;
}

function blankedIds(vocabulary: GgufVocabulary): ReadonlyMap<string, number> {
  const ids = new Map([...vocabulary.ids].map(([token, id]) => [blanked(token), id]));
  return ids.size === vocabulary.ids.size ? ids : vocabulary.stop(text('has a token of spaces in two spellings'));
}

/** Normalizer, pre-tokenizer and decoder where spaces are characters. @param prefixed whether one stands before every text */
function ofBlanks(prefixed: boolean): JsonObject {
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: blank };
  return {
    normalizer: prefixed ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: blank }, replace] } : replace,
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: blank }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefixed ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
  };
}

/** SentencePiece's Unigram. */
function unigram(vocabulary: GgufVocabulary): JsonObject {
  const scores = vocabulary.numbers('tokenizer.ggml.scores') ?? vocabulary.stop(text('has no tokenizer.ggml.scores'));
  const charsmap = vocabulary.base64('tokenizer.ggml.precompiled_charsmap');
  const prefixed = vocabulary.flag('tokenizer.ggml.add_space_prefix') ?? false;
  const metaspace = { type: 'Metaspace', replacement: blank, prepend_scheme: prefixed ? 'always' : 'never', split: true };
  // Without the spaces around words and with one before each: what SentencePiece makes of a text whose extra spaces it removes.
  const words = { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, { ...metaspace, prepend_scheme: 'always' }] };
  const unknown = vocabulary.token('tokenizer.ggml.unknown_token_id', 2);
  return {
    added_tokens: addedTokens(vocabulary),
    normalizer: charsmap === undefined || charsmap === '' ? null : { type: 'Precompiled', precompiled_charsmap: charsmap },
    pre_tokenizer: vocabulary.flag('tokenizer.ggml.remove_extra_whitespaces') === true ? words : metaspace,
    post_processor: around(vocabulary, added(vocabulary, 'bos', false), added(vocabulary, 'eos', true)),
    decoder: { type: 'Metaspace', replacement: blank, prepend_scheme: 'always', split: true },
    model: {
      type: 'Unigram',
      unk_id: unknown === undefined ? undefined : vocabulary.ids.get(unknown),
      vocab: vocabulary.tokens.map((token, id) => [token, scores[id]]),
    },
  };
}

/** BERT's WordPiece. The converter writes `▁word` for the beginning of a word, and `ing` for what was `##ing`. */
function wordPiece(vocabulary: GgufVocabulary): JsonObject {
  const kinds = vocabulary.numbers('tokenizer.ggml.token_type');
  const piece = (token: string, id: number): string =>
    token.startsWith(blank) && token !== blank
      ? token.slice(1)
      : kinds?.[id] === tokenKinds.control || /^\[.+\]$/.test(token)
        ? token
        : `##${token}`;
  const ids = new Map([...vocabulary.ids].map(([token, id]) => [piece(token, id), id]));
  if (ids.size !== vocabulary.ids.size) {
    vocabulary.stop(text('has a token of WordPiece twice'));
  }
  // Of files that do not say it: a vocabulary without capital letters is one of text without them.
  const isLower = (token: string): boolean => token.startsWith('[') || token === token.toLowerCase();
  const lowercase = vocabulary.flag('tokenizer.ggml.normalizer.lowercase') ?? [...ids.keys()].every(isLower);
  const stripAccents = vocabulary.flag('tokenizer.ggml.normalizer.strip_accents') ?? null;
  const first = vocabulary.token('tokenizer.ggml.bos_token_id') ?? vocabulary.token('tokenizer.ggml.cls_token_id', 101);
  return {
    added_tokens: addedTokens(vocabulary),
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: stripAccents, lowercase },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: around(vocabulary, first, vocabulary.token('tokenizer.ggml.seperator_token_id', 102)),
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: { type: 'WordPiece', unk_token: vocabulary.token('tokenizer.ggml.unknown_token_id', 100), vocab: ids },
  };
}

/** The tokens that are looked for in the text itself: all that llama.cpp's converter does not mark as parts of texts. */
function addedTokens(
  vocabulary: GgufVocabulary,
  change: (content: string) => JsonObject = (content) => ({ content }),
): readonly JsonObject[] {
  const kinds = vocabulary.numbers('tokenizer.ggml.token_type') ?? [];
  return vocabulary.tokens.flatMap((token, id): JsonObject[] => {
    const isSpecial = kinds[id] === tokenKinds.unknown || kinds[id] === tokenKinds.control;
    return token !== '' && (isSpecial || kinds[id] === tokenKinds.userDefined)
      ? [{ id, normalized: false, special: isSpecial, ...change(token) }]
      : [];
  });
}

/**
 * The token of the beginning or the end that is put around a text; undefined for none.
 *
 * @param usually whether there is one if the file does not say
 * @throws InputError where there is one, and the file does not say which
 */
function added(vocabulary: GgufVocabulary, which: 'bos' | 'eos', usually: boolean): string | undefined {
  if (!(vocabulary.flag(`tokenizer.ggml.add_${which}_token`) ?? usually)) {
    return undefined;
  }
  const key = `tokenizer.ggml.${which}_token_id`;
  return vocabulary.token(key) ?? vocabulary.stop(said`adds a token to every text, but has no ${key}`);
}

/** A post-processor that puts tokens around a text. */
function around({ ids }: GgufVocabulary, before: string | undefined, after: string | undefined): JsonObject | null {
  const specials = [before, after].filter((token) => token !== undefined);
  if (specials.length === 0) {
    return null;
  }
  const piece = (id: string | undefined): JsonObject[] => (id === undefined ? [] : [{ SpecialToken: { id, type_id: 0 } }]);
  const single = [...piece(before), { Sequence: { id: 'A', type_id: 0 } }, ...piece(after)];
  return {
    type: 'TemplateProcessing',
    single,
    pair: [...single, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: Object.fromEntries(specials.map((id) => [id, { id, ids: [ids.get(id)], tokens: [id] }])),
  };
}
