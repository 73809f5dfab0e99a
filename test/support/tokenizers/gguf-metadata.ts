import { count, flag, list, type Metadata, real, text } from '../llama-cpp/gguf-file';
import type { Definition } from './definitions';

/** llama.cpp's numbers for kinds of tokens. */
const kinds = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

interface Added {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
}

interface Model {
  readonly type: string;
  readonly vocab: Readonly<Record<string, number>> | readonly (readonly [string, number])[];
  readonly merges?: readonly (string | readonly string[])[];
  readonly unk_token?: string | null;
  readonly unk_id?: number;
}

/** What the metadata say beside the tokens. */
export interface GgufTokenizerOptions {
  /** The pre-tokenizer of a byte-pair vocabulary with merges; not given: it is SentencePiece's, with scores. */
  readonly pre?: string;
  readonly bos?: number;
  readonly eos?: number;
  /** Whether the tokens of beginning and end are added; not given: the file does not say. */
  readonly addBos?: boolean;
  readonly addEos?: boolean;
  readonly spacePrefix?: boolean;
  readonly own?: Metadata;
}

const blank = '\u2581';

/**
 * The metadata of a tokenizer as llama.cpp's converter writes them (`conversion/base.py` and `bert.py`), from its `tokenizer.json`.
 * SentencePiece's scores, which that does not have, are made from the order of its merges.
 */
export function ggufTokenizer(definition: Definition, options: GgufTokenizerOptions = {}): Metadata {
  const model = definition.model as Model;
  const added = definition.added_tokens as readonly Added[];
  const tokens: string[] = [];
  const entries = Array.isArray(model.vocab)
    ? model.vocab.map(([piece]: readonly [string, number], id: number): [string, number] => [piece, id])
    : Object.entries(model.vocab as Readonly<Record<string, number>>);
  entries.forEach(([token, id]) => (tokens[id] = token));
  added.forEach(({ id, content }) => (tokens[id] = content));
  const unknown = model.unk_id ?? tokens.indexOf(model.unk_token ?? '');
  const addedById = new Map(added.map((each) => [each.id, each]));
  const types = Array.from(tokens, (token: string | undefined, id) =>
    token === undefined ? kinds.unused : kindOf(token, id === unknown && model.type !== 'WordPiece', addedById.get(id)),
  );
  const filled = Array.from(tokens, (token: string | undefined, id) => token ?? `[PAD${id}]`);
  const common: Metadata = {
    'tokenizer.ggml.token_type': list(types.map((value) => ({ type: 'int32', value }))),
    ...(options.bos !== undefined && { 'tokenizer.ggml.bos_token_id': count(options.bos) }),
    ...(options.eos !== undefined && { 'tokenizer.ggml.eos_token_id': count(options.eos) }),
    ...(unknown >= 0 && { 'tokenizer.ggml.unknown_token_id': count(unknown) }),
    ...(options.addBos !== undefined && { 'tokenizer.ggml.add_bos_token': flag(options.addBos) }),
    ...(options.addEos !== undefined && { 'tokenizer.ggml.add_eos_token': flag(options.addEos) }),
    ...(options.spacePrefix !== undefined && { 'tokenizer.ggml.add_space_prefix': flag(options.spacePrefix) }),
    ...options.own,
  };
  const named = (name: string, texts: readonly string[]): Metadata => ({
    'tokenizer.ggml.model': text(name),
    'tokenizer.ggml.pre': text(options.pre ?? 'default'),
    'tokenizer.ggml.tokens': list(texts.map(text)),
    ...common,
  });
  const pairs = (model.merges ?? []).map((merge) => (typeof merge === 'string' ? merge.split(' ') : merge));
  switch (model.type) {
    case 'BPE':
      if (options.pre === 'gemma4') {
        return { ...named('gemma4', spaced(filled, types)), 'tokenizer.ggml.merges': list(pairs.map((pair) => text(pair.join(' ')))) };
      }
      return options.pre === undefined
        ? {
            'tokenizer.ggml.scores': list(scoresOf(filled, pairs, types).map(real)),
            ...named('llama', spaced(filled, types)),
          }
        : { ...named('gpt2', filled), 'tokenizer.ggml.merges': list(pairs.map((pair) => text(pair.join(' ')))) };
    case 'WordPiece':
      return named(
        'bert',
        filled.map((token, id) => (types[id] === kinds.control ? token : token.startsWith('##') ? token.slice(2) : blank + token)),
      );
    case 'Unigram': {
      const pieces = model.vocab as readonly (readonly [string, number])[];
      return { ...named('t5', filled), 'tokenizer.ggml.scores': list(filled.map((_, id) => real(pieces.at(id)?.[1] ?? 0))) };
    }
    default:
      throw new Error(`No GGUF file has a ${model.type}.`);
  }
}

function kindOf(token: string, isUnknown: boolean, added: Added | undefined): number {
  if (isUnknown) {
    return kinds.unknown;
  }
  if (added === undefined) {
    return /^<0x[0-9A-F]{2}>$/.test(token) ? kinds.byte : kinds.normal;
  }
  const looksSpecial = /^(?:<\|.*\|>|<｜.*｜>|<unused.*>|<pad>|<mask>)$/.test(token);
  return added.special || looksSpecial ? kinds.control : kinds.userDefined;
}

/** Tokens that the user defined are written with spaces. */
function spaced(tokens: readonly string[], types: readonly number[]): readonly string[] {
  return tokens.map((token, id) => (types[id] === kinds.userDefined ? token.replaceAll(blank, ' ') : token));
}

/**
 * The scores of a byte-pair vocabulary of SentencePiece: the earlier a token is made, the higher, from 0; characters are below, and
 * the converter gives -1000 to what the user defined and to special tokens.
 */
function scoresOf(tokens: readonly string[], pairs: readonly (readonly string[])[], types: readonly number[]): readonly number[] {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const made = new Map<string, number>();
  for (const pair of pairs) {
    const product = pair.join('');
    if (!made.has(product) && types[ids.get(product) ?? -1] === kinds.normal) {
      made.set(product, -made.size);
    }
  }
  const isAdded = (id: number): boolean => types[id] === kinds.control || types[id] === kinds.userDefined;
  return tokens.map((token, id) => (isAdded(id) ? -1000 : types[id] === kinds.normal ? (made.get(token) ?? -made.size - id) : 0));
}
