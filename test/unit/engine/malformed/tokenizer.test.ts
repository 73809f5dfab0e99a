import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../../src/core/errors';
import { PromptTokenizer } from '../../../../src/engine/read/tokenizer/tokenizer';
import { temporaryFolder } from '../../../support/temporary';
import { charsmapOf } from '../../../support/tokenizers/charsmap';
import { deepJson, nastyStrings } from './outcome';

/** A byte-pair tokenizer of 28 tokens. */
function definition(): Record<string, unknown> {
  const letters = Array.from('abcdefghijklmnopqrstuvwxyzĠ').map((letter, id) => [letter, id]);
  return {
    added_tokens: [{ id: 27, content: '<s>', single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', unk_token: null, vocab: Object.fromEntries(letters) as unknown, merges: [] },
  };
}

/** What loading came to. Only the kind of error is looked at: what its message may hold is for the reader's own tests to say. */
async function outcome(folder: string): Promise<'loaded' | 'refused'> {
  try {
    const tokenizer = await PromptTokenizer.load(folder);
    expect(tokenizer.encode('ab c')).toBeInstanceOf(Int32Array);
    return 'loaded';
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return 'refused';
  }
}

function write(text: string | Uint8Array): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'tokenizer.json'), text);
  return folder;
}

describe('a tokenizer.json from elsewhere', () => {
  it.each<[string, string | Uint8Array]>([
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['an empty object', '{}'],
    ['deep nesting', deepJson(100_000)],
    ['half of it', JSON.stringify(definition()).slice(0, 200)],
    ['bytes that are no text', Uint8Array.of(0xff, 0x00, 0x7b)],
    [
      'a pattern that is none',
      JSON.stringify({ ...definition(), pre_tokenizer: { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated', invert: false } }),
    ],
    [
      'a pattern without end',
      JSON.stringify({
        ...definition(),
        pre_tokenizer: {
          type: 'Sequence',
          pretokenizers: [{ type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Isolated', invert: false }],
        },
      }),
    ],
    ['a negative id', JSON.stringify({ ...definition(), model: { type: 'BPE', vocab: { a: -1 }, merges: [] } })],
    ['half an id', JSON.stringify({ ...definition(), added_tokens: [{ id: 0.5, content: '<s>' }] })],
    ['an id that is text', JSON.stringify({ ...definition(), model: { type: 'BPE', vocab: { a: '1' }, merges: [] } })],
    ['a vocabulary of merges that are none', JSON.stringify({ ...definition(), model: { type: 'BPE', vocab: 'merges', merges: [1] } })],
    [
      'a vocabulary of merges to one token',
      JSON.stringify({ ...definition(), model: { type: 'BPE', vocab: 'merges', merges: ['a b', 'ab c', 'b c', 'a bc'] } }),
    ],
    ['a prototype', '{"__proto__":{"model":{}}}'],
    ['merges at random', JSON.stringify({ ...definition(), model: { type: 'BPE', dropout: 0.1, vocab: { a: 0 }, merges: [] } })],
  ])('is refused: %s', async (_what, text) => {
    expect(await outcome(write(text))).toBe('refused');
  });

  it.each([
    ['a post-processor whose type is none', { post_processor: { type: {} } }, 'a part of it has the type an object'],
    ['a decoder without what it needs', { decoder: { type: 'Replace', pattern: { String: 7 }, content: null } }, 'malformed'],
    ['a token whose id is none', { model: { type: 'WordLevel', vocab: { a: {} }, unk_token: 'a' } }, 'token "a" has the id an object'],
  ])('is refused in words: %s', async (_, fields, words) => {
    await expect(PromptTokenizer.load(write(JSON.stringify({ ...definition(), ...fields })))).rejects.toThrow(words);
  });

  it('is refused where it is a folder, or not there', async () => {
    const folder = temporaryFolder();
    expect(await outcome(folder)).toBe('refused');
    mkdirSync(join(folder, 'tokenizer.json'));
    expect(await outcome(folder)).toBe('refused');
  });

  it('is refused, or a tokenizer, with any part replaced', async () => {
    const folder = temporaryFolder();
    const parts = fc.constantFrom('added_tokens', 'normalizer', 'pre_tokenizer', 'post_processor', 'decoder', 'model');
    const inner = fc.constantFrom(
      'type',
      'vocab',
      'merges',
      'unk_token',
      'content',
      'use_regex',
      'continuing_subword_prefix',
      'byte_fallback',
    );
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(...nastyStrings, -1, 1e308));
    let loaded = 0;
    await fc.assert(
      fc.asyncProperty(parts, fc.option(inner, { nil: undefined }), value, async (part, field, replacement) => {
        const changed = definition();
        changed[part] = field === undefined ? replacement : { ...(changed[part] as object | null), [field]: replacement };
        rmSync(join(folder, 'tokenizer.json'), { force: true });
        writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(changed));
        loaded += Number((await outcome(folder)) === 'loaded');
      }),
      { numRuns: 300, seed: 20_250_101 },
    );
    expect(loaded).toBeGreaterThan(20);
  });
});

it('stops where normalizers make text grow without end', async () => {
  const normalizers = Array.from({ length: 24 }, () => ({ type: 'Replace', pattern: { String: 'e' }, content: 'ee' }));
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify({ ...definition(), normalizer: { type: 'Sequence', normalizers } }));
  const tokenizer = await PromptTokenizer.load(folder);
  expect(() => tokenizer.encode('e'.repeat(400))).toThrow(
    /^The tokenizer's normalizer makes text more than 32 times as long; use another text or model\.$/,
  );
});

describe('text that a normalizer makes too long', () => {
  const load = async (normalizer: object): Promise<PromptTokenizer> => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify({ ...definition(), normalizer }));
    return PromptTokenizer.load(folder);
  };
  const replace = (content: string): object => ({ type: 'Replace', pattern: { Regex: 'a' }, content });

  it('is refused before it is made: a list of 200 million places ends the process', async () => {
    const tokenizer = await load(replace('x'.repeat(1000)));
    expect(() => tokenizer.encode('a'.repeat(200_000))).toThrow(/makes text more than 32 times as long/);
  });

  it('counts from the text itself, not from what the last normalizer made of it', async () => {
    const tokenizer = await load({ type: 'Sequence', normalizers: [replace('a'.repeat(30)), replace('x'.repeat(30))] });
    expect(() => tokenizer.encode('a'.repeat(200_000))).toThrow(/makes text more than 32 times as long/);
  });

  it('is refused in a map of characters and in what is put before texts', async () => {
    const map = charsmapOf(new Map([['a', 'x'.repeat(2 ** 20)]])).toString('base64');
    await expect(load({ type: 'Precompiled', precompiled_charsmap: map })).rejects.toThrow(/Precompiled has a replacement without end/);
    await expect(load({ type: 'Prepend', prepend: 'x'.repeat(2 ** 20) })).rejects.toThrow(/Prepend puts text without end/);
  });
});

describe('the patterns of real tokenizers', () => {
  it.each([
    ['GPT-2', String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`],
    [
      'Llama 3',
      String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
    ],
    ['Qwen2', String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`],
    [
      'GPT-4o, and Mistral after it',
      String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
    ],
  ])('are taken: %s', async (_model, pattern) => {
    const pretokenizers = [
      { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    ];
    expect(await outcome(write(JSON.stringify({ ...definition(), pre_tokenizer: { type: 'Sequence', pretokenizers } })))).toBe('loaded');
  });
});
