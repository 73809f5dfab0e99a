import { afterEach, describe, expect, it, vi } from 'vitest';
import { uniform } from '../../../src/core/math/random';
import { codecOf } from '../../../src/engine/read/tokenizer/definition';
import { firstIds, TokenIndex } from '../../../src/engine/read/tokenizer/token-index';
import { TokenReader } from '../../../src/engine/read/tokenizer/token-reader';
import { type Definition, definitions } from '../../support/tokenizers/definitions';
import { Reference, tokensOf } from '../../support/tokenizers/reference';
import { TextMaker } from '../../support/tokenizers/texts';

/** Kinds of byte-pair tokenizers whose pieces are read in parts. */
const kinds = [
  'Llama 2',
  'Llama 3.1',
  'Qwen 3',
  'Gemma 3',
  'GPT-4o',
  'GPT-2',
  'Mistral 0.3 (Metaspace first, no split)',
  'Llama 2 with added words',
  'tiny-docs-5m',
  'RoBERTa (a space before the text)',
  'StarCoder (digits one by one)',
  'GPT-NeoX (NFC, added spaces)',
];

/** Texts that no pattern cuts, each by its characters; the last ones are cut here and there by an edit or by their own breaks. */
const alphabets = [
  'etaoinshrdlu',
  '的一是不了人在有我他這中大來上國',
  'กขคงจฉชซญณดต',
  ' ',
  '{}[]:,"=-',
  '🦜👍é',
  'aa',
  'abcDEF的.',
  'QUJDREVGR0hJ+/',
  'zqzqzqz,',
  '\n ',
];

/** Small chunks and parts, so that a text has many. */
const chunkTokens = 8;

afterEach(() => {
  vi.restoreAllMocks();
});

/** How many parts were read, and how often they did not go on as they had to. */
function watched(): { readonly parts: () => number; readonly broken: () => number } {
  const counts = { parts: 0, broken: 0 };
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called on the reader
  const { step } = TokenReader.prototype;
  vi.spyOn(TokenReader.prototype, 'step').mockImplementation(function (this: TokenReader) {
    const more = step.call(this);
    counts.parts += Number(this.nextToken !== undefined);
    counts.broken += Number(this.isBroken);
    return more;
  });
  return { parts: () => counts.parts, broken: () => counts.broken };
}

function edited(text: string, alphabet: readonly string[], maker: TextMaker): string {
  const at = maker.below(text.length);
  const typed = Array.from({ length: maker.below(4) }, () => alphabet[maker.below(alphabet.length)]).join('');
  return text.slice(0, at) + (maker.below(20) === 0 ? 'x Y.\n' : typed) + text.slice(at + maker.below(4));
}

describe.each(kinds)('long pieces of %s', (kind) => {
  it('are the same after edits as as a whole, and as the Rust library has them', async () => {
    const definition = definitions[kind]();
    const codec = codecOf(definition);
    const rust = new Reference(definition, codec.suffix.length);
    const maker = new TextMaker(uniform(20_260_201));
    const seen = watched();
    for (const characters of alphabets) {
      const alphabet = Array.from(characters);
      let text = Array.from({ length: 1500 }, () => alphabet[maker.below(alphabet.length)]).join('');
      let index = TokenIndex.empty(codec, chunkTokens).edited(text);
      for (let edit = 0; edit < 8; edit += 1) {
        text = edited(text, alphabet, maker);
        index = index.edited(text);
        const replay = { characters, edit };
        // A text of this length is one part of an index of usual size.
        expect({ replay, ...tokensOf(index) }).toEqual({ replay, ...tokensOf(TokenIndex.of(codec, text)) });
      }
      expect({ characters, ...tokensOf(index) }).toEqual({ characters, ...(await rust.tokensOf(text)) });
    }
    expect(seen.parts()).toBeGreaterThan(20);
  });
});

/** Characters each of which merges with the next one, the later the sooner: what the last of a row does, decides all before it. */
function chain(length: number): Definition {
  const row = Array.from({ length }, (_, index) => String.fromCharCode(0x4e00 + index));
  const merges = row.slice(1).map((character, index): [string, string] => [row[index], character]);
  const tokens = [...row, ...merges.map((pair) => pair.join(''))];
  return {
    version: '1.0',
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])) as unknown, merges: merges.reverse() },
  };
}

describe('a vocabulary whose merges depend on text far after them', () => {
  const row = (from: number, to: number): string =>
    String.fromCharCode(...Array.from({ length: to - from }, (_, at) => 0x4e00 + from + at));

  it('is read as a whole where its parts do not go on as they had to', async () => {
    const definition = chain(400);
    const codec = codecOf(definition);
    const rust = new Reference(definition, 0);
    const seen = watched();
    const texts = [row(0, 400), row(0, 399), row(1, 399) + row(0, 399), row(0, 400) + row(0, 311), row(0, 310) + row(0, 312), row(2, 313)];
    let index = TokenIndex.empty(codec, chunkTokens);
    for (const text of texts) {
      index = index.edited(text);
      expect(tokensOf(index)).toEqual(await rust.tokensOf(text));
    }
    expect(seen.parts()).toBeGreaterThan(10);
    expect(seen.broken()).toBeGreaterThan(2);
  });

  it('is so for the first tokens of a text', () => {
    const codec = codecOf(chain(20_000));
    const seen = watched();
    const long = row(0, 19_999);
    expect([...firstIds(codec, long, 5)]).toEqual([...TokenIndex.of(codec, row(0, 19_999)).ids(0, 5)]);
    expect(firstIds(codec, long).length).toBe(10_000);
    expect(seen.broken()).toBeGreaterThan(0);
  });
});

it('edits a long piece by what the edit changes', () => {
  const codec = codecOf(definitions['GPT-2']());
  const text = 'etaoinshrdlu'.repeat(20_000);
  const index = TokenIndex.of(codec, text);
  const changed = `${text.slice(0, 100_000)}x${text.slice(100_000)}`;
  const seen = watched();
  const after = index.edited(changed);
  expect(seen.parts()).toBeLessThan(6);
  expect(after.changeSince(index).counts.length).toBeLessThan(4);
  expect([...after.ids()]).toEqual([...firstIds(codec, changed)]);
});
