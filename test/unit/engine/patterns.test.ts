import { Tokenizer as RustTokenizer } from 'tokenizers';
import { describe, expect, it } from 'vitest';
import { uniform } from '../../../src/core/math/random';
import { codecOf } from '../../../src/engine/read/tokenizer/definition';
import { withinProcessorTime } from '../../../src/engine/read/input/time-limit';
import { SplitScanner } from '../../../src/engine/read/tokenizer/patterns';
import { TokenIndex } from '../../../src/engine/read/tokenizer/token-index';
import { type Definition, definitions } from '../../support/tokenizers/definitions';
import { Reference, wellFormed } from '../../support/tokenizers/reference';
import { TextMaker } from '../../support/tokenizers/texts';

/** A tokenizer of bytes that cuts by a pattern. */
const cutting = (pattern: string): Definition => ({
  ...definitions['GPT-2'](),
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
    ],
  },
});

describe('a pattern that means the same to Oniguruma and to JavaScript', () => {
  it.each([
    ['BLOOM', ' ?[^(\\s|[.,!?…。，、।۔،])]+'],
    [
      'DeepSeek V3',
      '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
    ],
    ['lazy, behind and before', '(?<=[a-z])\\p{Lu}+?(?=\\p{Ll})|\\d{2,3}|[^\\S\\n]{1,}?\\n'],
    ['lines', '^#+|$|.\\.'],
    ['scripts', '\\p{Han}+|\\p{Thai}'],
    ['choices', '(?:ab|a)c?|(le|l)\\p{N}*|\\u4e00??'],
  ])('is exact, and cuts as the Rust library does: %s', async (_name, pattern) => {
    const definition = cutting(pattern);
    const codec = codecOf(definition);
    expect(codec.approximation).toBeNull();
    const rust = new Reference(definition, 0);
    const maker = new TextMaker(uniform(11));
    for (let sequence = 0; sequence < 200; sequence += 1) {
      const text = maker.text(1 + maker.below(60));
      expect({ text, ids: [...TokenIndex.of(codec, text).ids()] }).toEqual({ text, ids: (await rust.tokensOf(text)).ids });
    }
  });
});

describe('a pattern that does not', () => {
  it.each([
    ['\\p{L}++\\p{L}', '++\\p{L}'],
    ['(?>a|ab)c', '(?>a|ab)'],
    ["(?i:'s)", "(?i:'s)"],
    ['\\w+', '\\w+'],
    ['\\bx', '\\bx'],
    ['a{2}?', '{2}?'],
    ['[a-z&&[^e]]', '[a-z&&[^'],
    ['[[:punct:]]', '[[:punct'],
  ])('is named: %s', (pattern, named) => {
    expect(codecOf(cutting(pattern)).approximation).toBe(`its pre-tokenizer Split has "${named}", which JavaScript reads in another way`);
  });

  it.each([
    ['\\p{L}++\\p{L}', '1word'],
    ['(?>a|ab)c', 'xabc'],
    ['(?i:s)', 'aſ'],
    ['a{2}?', 'ab'],
  ])('is not cut alike: %s', async (pattern, text) => {
    const definition = cutting(pattern);
    const tokenizer = RustTokenizer.fromString(
      JSON.stringify({ ...definition, model: { type: 'WordLevel', vocab: { a: 0 }, unk_token: 'a' } }),
    );
    const rust = (await tokenizer.encode(wellFormed(text))).getOffsets();
    const own = codecOf({ ...definition, model: { type: 'WordLevel', vocab: { a: 0 }, unk_token: 'a' } });
    const index = TokenIndex.of(own, text);
    expect(Array.from({ length: index.tokens }, (_, token) => index.offsetOf(token))).not.toEqual(rust.map(([from]) => from));
  });

  it('is refused where JavaScript cannot read it', () => {
    expect(() => codecOf(cutting('\\p{Hangul_Or_So}+'))).toThrow(/Invalid property name/);
    expect(() => codecOf(cutting('\\R'))).toThrow(/Invalid/);
  });
});

describe('a pattern that takes long without nesting', () => {
  it('is given processor time, not time by the clock', () => {
    const rest = new Int32Array(new SharedArrayBuffer(4));
    // What waits for a busy machine uses none; begun again, it has more time.
    expect(
      withinProcessorTime(
        100,
        () => Atomics.wait(rest, 0, 0, 250),
        () => new Error('late'),
      ),
    ).toBe('timed-out');
    const spin = (): never => {
      for (;;);
    };
    expect(() => withinProcessorTime(100, spin, () => new Error('late'))).toThrow('late');
  });

  it('has its time for all sections of a text together, and anew for another text', () => {
    const text = `${'a'.repeat(18)}b`.repeat(400);
    const scanner = new SplitScanner(/(?:a|a)*x/gu, 'Isolated', false, () => 400);
    const cut = (): void => {
      for (let at = 0; at < text.length; at += 19) {
        scanner.next(text, at, at + 19, true);
      }
    };
    expect(cut).toThrow(/takes too long/);
    expect(scanner.next('b'.repeat(30), 0, 30, true)).toBe(true);
  });

  it.each([new RegExp(`${'.*'.repeat(15)}x`, 'gu'), /(?:a|a)*x/gu])('is ended while it matches: %s', (pattern) => {
    const scanner = new SplitScanner(pattern, 'Isolated', false, () => 300);
    expect(() => scanner.next('a'.repeat(200), 0, 200, true)).toThrow(
      /The tokenizer's pattern ".*" takes too long on this text; use another model\.$/,
    );
  });
});
