import { describe, expect, it } from 'vitest';
import type { Codec } from '../../../src/engine/read/tokenizer/codec';
import { codecOf } from '../../../src/engine/read/tokenizer/definition';
import { TokenIndex } from '../../../src/engine/read/tokenizer/token-index';
import { type Definition, definitions } from '../../support/tokenizers/definitions';
import { Reference, tokensOf } from '../../support/tokenizers/reference';
import { addedToken } from '../../support/tiny-tokenizer';

/** Definitions that nobody published, but anybody may: exact ones are as the Rust library reads them, the others say why not. */

const letters = [...Array.from('abcdefghijklmnopqrstuvwxyz _-.'), '𝐀', 'é', '\n', '1', '2', '▁', '\u0301'];
const next = letters.length;

const bytePair = (vocab: readonly string[], merges: readonly (readonly [string, string])[] = [], fields: object = {}): object => ({
  type: 'BPE',
  dropout: null,
  unk_token: null,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: false,
  byte_fallback: false,
  ignore_merges: false,
  vocab: Object.fromEntries(vocab.map((token, id) => [token, id])) as unknown,
  merges,
  ...fields,
});

const tokenizer = (fields: object): Definition => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
  model: bytePair(letters),
  ...fields,
});

const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
const joined = [['a', 'b']] as const;
const alone = { single_word: true };
const split = (pattern: string, behavior: string): object => ({ type: 'Split', pattern: { Regex: pattern }, behavior, invert: false });
const unigram = (byteFallback: boolean): object => {
  const byteTokens = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  return {
    type: 'Unigram',
    unk_id: 0,
    byte_fallback: byteFallback,
    vocab: [['<unk>', 0], ...(byteFallback ? byteTokens : []).map((token) => [token, -20]), ['a', -1], ['b', -2], ['ab', -2.5]],
  };
};

it.each<[string, Definition, string[]]>([
  [
    'a single word beside a letter beyond the basic plane',
    tokenizer({ added_tokens: [addedToken(next, 'abc', alone)] }),
    ['𝐀abc', 'abc𝐀', '𝐀 abc'],
  ],
  [
    'a normalized single word beside such a letter',
    tokenizer({ added_tokens: [addedToken(next, 'abc', { ...alone, normalized: true })] }),
    ['𝐀abc', 'abc𝐀', '𝐀 abc'],
  ],
  [
    'a token that begins with the mark that Metaspace puts before texts',
    tokenizer({ pre_tokenizer: metaspace, added_tokens: [addedToken(next, '▁foo', { normalized: true })] }),
    ['foo', 'foo bar', 'a ▁foo', '▁foo', `foo${'a'.repeat(20_000)}`],
  ],
  [
    'a token that begins with the space that ByteLevel puts before texts',
    tokenizer({
      model: bytePair([...letters, 'Ġ']),
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
      added_tokens: [addedToken(next + 1, ' foo', { normalized: true })],
    }),
    ['foo', ' foo', 'a foo'],
  ],
  ['an empty token', tokenizer({ model: bytePair(['', 'a', 'b', 'ab'], joined) }), ['aXb', 'Xa']],
  [
    'merges across characters left out',
    tokenizer({ model: bytePair(['a', 'b', 'ab'], joined) }),
    ['aXb', 'ab', 'abXXab', 'aXb'.repeat(9000)],
  ],
  [
    'merges across such after Metaspace',
    tokenizer({ model: bytePair([...letters, '▁a'], [['▁', 'a']]), pre_tokenizer: { ...metaspace, split: false } }),
    ['ツa', 'b ツa'],
  ],
  ['the unknown token in Unigram', tokenizer({ model: unigram(false) }), ['a<unk>b', '<unk>', 'x<unk>', '<unk>x', '<unk><unk>', 'ab']],
  ['the unknown token in Unigram with bytes', tokenizer({ model: unigram(true) }), ['a<unk>b', '<unk>', 'x<unk>', '<unk>x', 'ab']],
  ...['a*', '(?=b)', 'b?', '|a'].flatMap((pattern) =>
    ['Contiguous', 'Isolated', 'Removed', 'MergedWithPrevious', 'MergedWithNext'].map((behavior): [string, Definition, string[]] => [
      `empty matches of ${pattern}, ${behavior}`,
      tokenizer({
        model: bytePair(
          [...letters, 'aa', 'ab', 'ba', 'bb'],
          [
            ['a', 'a'],
            ['a', 'b'],
            ['b', 'a'],
            ['b', 'b'],
          ],
        ),
        pre_tokenizer: split(pattern, behavior),
      }),
      ['aab', 'bbaabb', 'abab', 'cba', 'bb', 'ccc'],
    ]),
  ),
])('reads %s as the Rust library does', async (_what, definition, texts) => {
  const codec = codecOf(definition);
  expect(codec.approximation).toBeNull();
  const rust = new Reference(definition, 0);
  for (const text of texts) {
    const { ids } = tokensOf(TokenIndex.of(codec, text));
    expect([text, ids]).toEqual([text, (await rust.tokensOf(text)).ids]);
  }
});

it('counts the whole text, whatever truncation and padding its file keeps, which apply only where they are asked for', async () => {
  const truncation = { direction: 'Right', max_length: 2, strategy: 'LongestFirst', stride: 0 };
  const padding = { strategy: { Fixed: 12 }, direction: 'Right', pad_to_multiple_of: null, pad_id: 0, pad_type_id: 0, pad_token: 'a' };
  const codec = codecOf(tokenizer({ truncation, padding }));
  const { ids } = tokensOf(TokenIndex.of(codec, 'abcde'));
  expect([codec.approximation, ids]).toEqual([null, (await new Reference(tokenizer({}), 0).tokensOf('abcde')).ids]);
  expect(ids).toHaveLength(5);
});

const prepended = (...normalizers: object[]): Definition =>
  tokenizer({ normalizer: { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: 'e' }, ...normalizers] } });

describe('says that it is not exact', () => {
  it.each<[string, Definition, RegExp]>([
    [
      'where a refused single word overlaps with another token',
      tokenizer({ added_tokens: [addedToken(next, 'abc', alone), addedToken(next + 1, 'bc')] }),
      /"abc", a single word, overlaps/,
    ],
    [
      'where a token takes white space that is another',
      tokenizer({ added_tokens: [addedToken(next, '<a>', { rstrip: true }), addedToken(1000, '\n')] }),
      /"<a>" takes white space/,
    ],
    [
      'where Metaspace marks the first piece only of those that another pre-tokenizer cuts',
      tokenizer({
        pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, { ...metaspace, prepend_scheme: 'first' }] },
      }),
      /Metaspace marks the first piece only/,
    ],
    [
      'where Strip comes after Prepend',
      prepended({ type: 'Strip', strip_left: true, strip_right: false }),
      /Strip changes text after Prepend/,
    ],
    ['where NFC comes after Prepend', prepended({ type: 'NFC' }), /NFC changes text after Prepend/],
    [
      'where a pattern comes after Prepend',
      prepended({ type: 'Replace', pattern: { Regex: 'e+' }, content: 'x' }),
      /Replace changes text after Prepend/,
    ],
    ['where the vocabulary gives an added token another id', tokenizer({ added_tokens: [addedToken(100, 'b')] }), /"b" has the id 100/],
    ['where an added token leaves ids out', tokenizer({ added_tokens: [addedToken(100, '<s>')] }), /"<s>" has the id 100/],
  ])('%s', (_what, definition, reason) => {
    expect(codecOf(definition).approximation).toMatch(reason);
  });

  it.each(Object.keys(definitions))('but is exact for %s', (kind) => {
    const { approximation }: Codec = codecOf(definitions[kind]());
    expect(approximation).toBeNull();
  });
});
