import { InputError } from '../../../core/errors';
import { said, text } from '../../../core/l10n';
import { described, quoted } from '../../../core/text/printable';
import { type AddedToken, addedTokenOf, AddedTokens } from './added-tokens';
import { BytePairModel } from './byte-pair';
import { byteCharacters, byteTokenOf } from './characters';
import { type Codec, decoderOf, type Pipeline, specialsOf } from './codec';
import { fieldsOf, type Json, type JsonObject, listOf, textOf } from './json';
import { ListedMerges } from './merges';
import { type Model, RememberingModel } from './model';
import { normalizerOf } from './normalizer';
import { checkPatterns } from './patterns';
import { type PreTokenizer, preTokenizerOf } from './pre-tokenizer';
import { neighboursIn, UncrossedScanner } from './scanner';
import { UnigramModel, WordLevelModel, WordPieceModel } from './word-models';

/** Token ids count from 0 and are stored as 32-bit integers. */
const largestId = 2 ** 31 - 1;

/**
 * A tokenizer from its `tokenizer.json`, as the Rust library reads it, but for `truncation` and `padding`, which are not
 * applied: a text has the tokens of the whole of it, and transformers applies them only where it is asked to.
 *
 * @throws InputError for a malformed definition, invalid token ids, patterns that can take forever, and what is not supported
 */
export function codecOf(json: Json): Codec {
  const definition = fieldsOf(json, text('the tokenizer'));
  for (const part of ['model', 'decoder', 'post_processor', 'pre_tokenizer', 'normalizer']) {
    if (!(part in definition)) {
      throw new InputError(`it has no ${part}`);
    }
  }
  checkPatterns(definition);
  const added = listOf(definition.added_tokens, 'added_tokens').map(addedTokenOf);
  added.forEach(({ content, id }) => checkId(content, id));
  const fields = fieldsOf(definition.model, 'model');
  const vocabulary = vocabularyOf(fields);
  const normalizer = normalizerOf(definition.normalizer);
  const preTokenizer = preTokenizerOf(definition.pre_tokenizer, normalizer.blankless);
  const { model, scanner } = modelOf(fields, vocabulary, preTokenizer);
  const normalized = added
    .filter((token) => token.normalized)
    .map((token): AddedToken => ({ ...token, content: normalizer.prefix + normalizer.change(token.content).text }));
  const pipeline: Pipeline = {
    rawTokens: new AddedTokens(added.filter((token) => !token.normalized)),
    normalizer,
    normalizedTokens: new AddedTokens(normalized),
    preTokenizer: scanner === undefined ? preTokenizer : { ...preTokenizer, scanner },
    model: new RememberingModel(model),
  };
  const overlapping = pipeline.rawTokens.approximation ?? pipeline.normalizedTokens.approximation;
  const tokens: string[] = [];
  vocabulary.forEach((id, token) => (tokens[id] = token));
  added.forEach(({ id, content }) => (tokens[id] = content));
  const idOf = new Map(added.map(({ id, content }) => [content, id]));
  return {
    pipeline,
    ...specialsOf(definition.post_processor, (token) => idOf.get(token) ?? vocabulary.get(token)),
    decode: decoderOf(definition.decoder, tokens, added),
    approximation: normalizer.approximation ?? preTokenizer.approximation ?? overlapping ?? contradicted(added, vocabulary),
  };
}

/**
 * Says which added token has another id than the Rust library gives it: that of the vocabulary, else the next one after it. Null if
 * none has.
 */
function contradicted(added: readonly AddedToken[], vocabulary: ReadonlyMap<string, number>): string | null {
  const ids = new Map<string, number>();
  let largest = -1;
  for (const { content, id } of added) {
    if (content === '') {
      continue;
    }
    const given = vocabulary.get(content) ?? ids.get(content) ?? Math.max(largest + 1, vocabulary.size);
    if (given !== id) {
      return said`its added token ${quoted(content)} has the id ${id}, where its vocabulary makes it ${given}`;
    }
    ids.set(content, given);
    largest = Math.max(largest, given);
  }
  return null;
}

/** In place of a vocabulary: it is the bytes and then what each merge makes, as in GPT-2's own. Our presets' shorthand. */
const followsFromMerges = 'merges';

/** The ids of a vocabulary. One that was read from another file is a map of them already. @throws InputError for what is none */
function vocabularyOf({ vocab, merges }: JsonObject): ReadonlyMap<string, number> {
  if (vocab instanceof Map) {
    return vocab as ReadonlyMap<string, number>;
  }
  const ids = new Map<string, number>();
  if (vocab === followsFromMerges) {
    const products = listOf(merges, 'merges').map((merge) => pairOf(merge).join(''));
    [...byteCharacters].sort().forEach((character, id) => ids.set(character, id));
    products.forEach((token, rank) => ids.set(token, byteCharacters.length + rank));
    if (ids.size < byteCharacters.length + products.length) {
      throw new InputError('its vocabulary is to follow from its merges, but two of them make the same token');
    }
    return ids;
  }
  if (Array.isArray(vocab)) {
    // A Unigram vocabulary is a list of pieces: the index is the id.
    (vocab as Json[]).forEach((entry, id) => {
      const [piece] = listOf(entry, text('a piece of the vocabulary'));
      ids.set(String(piece), id);
    });
    return ids;
  }
  for (const [token, id] of Object.entries(fieldsOf(vocab, 'vocab'))) {
    checkId(token, id);
    ids.set(token, Number(id));
  }
  return ids;
}

/** Ids index the embedding: a negative or fractional one would read outside it. */
function checkId(token: string, id: Json): void {
  if (!(Number.isInteger(id) && Number(id) >= 0 && Number(id) <= largestId)) {
    throw new InputError(`token ${quoted(token)} has the id ${described(id)}`);
  }
}

interface ReadModel {
  readonly model: Model;
  /** What cuts the text, where the model knows better than its pre-tokenizer. */
  readonly scanner?: PreTokenizer['scanner'];
}

function modelOf(fields: JsonObject, vocabulary: ReadonlyMap<string, number>, preTokenizer: PreTokenizer): ReadModel {
  const unknownToken = textOf(fields.unk_token);
  const unknown = unknownToken === undefined ? undefined : vocabulary.get(unknownToken);
  switch (typeOf(fields)) {
    case 'BPE':
      return bytePairOf(fields, vocabulary, preTokenizer, unknown);
    case 'Unigram': {
      const pieces = listOf(fields.vocab, 'vocab').map((entry): readonly [string, number] => {
        const [piece, score] = listOf(entry, text('a piece of the vocabulary'));
        if (typeof piece !== 'string' || typeof score !== 'number') {
          throw new InputError(`a piece of the vocabulary is ${described(piece)} with the score ${described(score)}`);
        }
        return [piece, score];
      });
      const { unk_id: id } = fields;
      return { model: new UnigramModel(pieces, Number.isInteger(id) ? Number(id) : undefined, fields.byte_fallback === true) };
    }
    case 'WordPiece': {
      const longest = Number.isInteger(fields.max_input_chars_per_word) ? Number(fields.max_input_chars_per_word) : 100;
      return { model: new WordPieceModel(vocabulary, unknown, textOf(fields.continuing_subword_prefix) ?? '##', longest) };
    }
    case 'WordLevel':
      return { model: new WordLevelModel(vocabulary, unknown) };
    default:
      throw new InputError(`its model ${described(fields.type)} is not known`);
  }
}

/** The type of a model; old files do not say it. */
function typeOf(fields: JsonObject): string {
  const named = textOf(fields.type);
  if (named !== undefined) {
    return named;
  }
  return Array.isArray(fields.vocab)
    ? 'Unigram'
    : 'merges' in fields
      ? 'BPE'
      : 'continuing_subword_prefix' in fields
        ? 'WordPiece'
        : 'WordLevel';
}

function bytePairOf(
  fields: JsonObject,
  ids: ReadonlyMap<string, number>,
  { bytes, whole, blank }: PreTokenizer,
  unknown: number | undefined,
): ReadModel {
  if (typeof fields.dropout === 'number' && fields.dropout > 0) {
    throw new InputError(`its model leaves out merges at random (dropout ${fields.dropout})`);
  }
  const continuingPrefix = textOf(fields.continuing_subword_prefix) ?? '';
  const wordSuffix = textOf(fields.end_of_word_suffix) ?? '';
  const { triples, products } = mergesOf(fields, ids, continuingPrefix);
  const byteFallback = fields.byte_fallback === true;
  const ignoreMerges = fields.ignore_merges === true;
  const fuseUnknown = fields.fuse_unk === true;
  const model = new BytePairModel({
    ids,
    merges: new ListedMerges(triples),
    bytes,
    ignoreMerges,
    byteFallback,
    unknown,
    fuseUnknown,
    continuingPrefix,
    wordSuffix,
  });
  // A cut may not part what is looked up whole, what depends on its place, unknown characters that become one token, or what merges
  // because the unknown characters between are left out.
  const joinsUnknown = (fuseUnknown || unknown === undefined) && !(byteFallback && model.hasAllBytes);
  if (!whole || bytes || ignoreMerges || mergesBytes(triples, ids) || joinsUnknown || continuingPrefix !== '' || wordSuffix !== '') {
    return { model };
  }
  const joins = neighboursIn(products);
  const blankPoint = blank.codePointAt(0) ?? 0;
  return { model, scanner: () => new UncrossedScanner(joins, blankPoint) };
}

/** What a merge joins, written as one text or as two. @throws InputError for what is no merge */
function pairOf(merge: Json): readonly [string, string] {
  const [left, right] = typeof merge === 'string' ? merge.split(' ', 2) : listOf(merge, text('a merge'));
  if (typeof left !== 'string' || typeof right !== 'string') {
    throw new InputError(`a merge is ${described(merge)}`);
  }
  return [left, right];
}

/** The merges of a vocabulary as ids, and the tokens that they make. @throws InputError for a merge of or to no token */
function mergesOf(
  { merges: list }: JsonObject,
  ids: ReadonlyMap<string, number>,
  continuingPrefix: string,
): { readonly triples: Int32Array; readonly products: ReadonlySet<string> } {
  const merges = listOf(list, 'merges');
  const triples = new Int32Array(merges.length * 3);
  const products = new Set<string>();
  merges.forEach((merge, rank) => {
    const [left, right] = pairOf(merge);
    const product = left + right.slice(continuingPrefix.length);
    const triple = [ids.get(left), ids.get(right), ids.get(product)];
    for (const [index, id] of triple.entries()) {
      if (id === undefined) {
        throw new InputError(`the merge of ${quoted(left)} and ${quoted(right)} is not in the vocabulary`);
      }
      triples[rank * 3 + index] = id;
    }
    products.add(product);
  });
  return { triples, products };
}

/** Whether any merge is of or to a token that stands for a byte. */
function mergesBytes(triples: Int32Array, ids: ReadonlyMap<string, number>): boolean {
  const bytes = new Set(Array.from({ length: 256 }, (_, byte) => ids.get(byteTokenOf(byte))));
  return triples.some((id) => bytes.has(id));
}
