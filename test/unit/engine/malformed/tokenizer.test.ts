import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../../src/core/errors';
import { PromptTokenizer } from '../../../../src/engine/tokenizer/tokenizer';
import { temporaryFolder } from '../../../support/temporary';
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
    ['a pattern that is none', JSON.stringify({ ...definition(), pre_tokenizer: { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated', invert: false } })],
    ['a prototype', '{"__proto__":{"model":{}}}'],
  ])('is refused: %s', async (_what, text) => {
    expect(await outcome(write(text))).toBe('refused');
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
    const inner = fc.constantFrom('type', 'vocab', 'merges', 'unk_token', 'content', 'use_regex', 'continuing_subword_prefix', 'byte_fallback');
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
