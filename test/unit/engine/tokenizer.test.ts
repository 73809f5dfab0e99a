import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { cutSegments } from '../../../src/engine/read/tokenizer/segments';
import { uniform } from '../../../src/core/math/random';
import { firstTokenFrom, TokenMapper, type TokenMap } from '../../../src/engine/read/tokenizer/token-map';
import { PromptTokenizer } from '../../../src/engine/read/tokenizer/tokenizer';
import { embeddedFolder, sampleText } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';

let tokenizer: PromptTokenizer;
beforeAll(async () => {
  tokenizer = await PromptTokenizer.load(embeddedFolder);
});

/** Text with what makes cutting hard: runs of white space, contractions, digits, punctuation, other scripts, emoji, CRLF. */
const awkward = fc
  .array(
    fc.constantFrom(
      'a',
      'word',
      "don't",
      ' ',
      '  ',
      '\n',
      '\n\n',
      '\r\n',
      '\t',
      '7',
      '1234',
      '.',
      '```',
      '日本',
      'é',
      '👍🏽',
      '\u00a0',
      '<|eos|>',
      'x '.repeat(400),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

async function mapOf(text: string, mapper = new TokenMapper(tokenizer)): Promise<TokenMap> {
  const map = await mapper.map(text, () => false);
  if (map === undefined) {
    throw new Error('nothing was stale');
  }
  return map;
}

describe('cutting a prompt into segments', () => {
  it('loses nothing and changes no token', () => {
    fc.assert(
      fc.property(awkward, (text) => {
        const segments = cutSegments(text);
        expect(segments.join('')).toBe(text);
        const tokens = [...tokenizer.prefix, ...segments.flatMap((segment) => tokenizer.encodePart(segment))];
        expect(tokens).toEqual([...tokenizer.encode(text)]);
      }),
      { numRuns: 300 },
    );
  });

  it('does the same on real text', () => {
    const text = sampleText();
    const segments = cutSegments(text);
    expect(segments.length).toBeGreaterThan(100);
    expect([...tokenizer.prefix, ...segments.flatMap((segment) => tokenizer.encodePart(segment))]).toEqual([...tokenizer.encode(text)]);
  });

  it('cuts long lines too, so that an edit stays cheap', () => {
    const longest = Math.max(...cutSegments('word '.repeat(10_000)).map((segment) => segment.length));
    expect(longest).toBeLessThan(600);
  });
});

describe('mapping tokens to text', () => {
  it('places every token where its text begins, in order', async () => {
    const text = sampleText();
    const map = await mapOf(text);
    const ids = tokenizer.encode(text);
    expect(map.tokens).toBe(ids.length);
    const lengthOf = (id: number): number => tokenizer.offsetInPart('x'.repeat(100), [id, id], 1);
    for (let token = 1; token < map.tokens; token += 1) {
      expect(map.offsetOf(token + 1) - map.offsetOf(token)).toBe(lengthOf(ids[token]));
    }
    expect(map.offsetOf(1)).toBe(0);
    expect(map.offsetOf(map.tokens)).toBe(text.length);
  });

  it('finds the token at an offset', async () => {
    const text = sampleText();
    const map = await mapOf(text);
    for (let token = 1; token < map.tokens; token += 53) {
      expect(map.tokenAt(map.offsetOf(token))).toBe(token);
    }
    expect(map.tokenAt(text.length)).toBe(map.tokens - 1);
    expect(map.tokenAt(0)).toBe(1);
  });

  it('places tokens that split a character at that character', async () => {
    const map = await mapOf('ab 👍🏽 cd');
    const offsets = Array.from({ length: map.tokens }, (_, token) => map.offsetOf(token));
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    offsets.forEach((offset) => expect(offset).not.toBe(4));
  });

  it('cuts at an offset into tokens that begin before it and tokens that do not', async () => {
    const text = 'A word, 🦜🦜 and\n\n# another';
    const map = await mapOf(text);
    for (let offset = 0; offset <= text.length; offset += 1) {
      const begun = Array.from({ length: map.tokens }, (_, token) => token).filter((token) => map.offsetOf(token) < offset);
      expect(firstTokenFrom(map, offset)).toBe(begun.length);
    }
  });

  it('gives the same answer after edits as from scratch', async () => {
    const mapper = new TokenMapper(tokenizer);
    let text = sampleText();
    for (const edit of ['x', '\n\n', ' new words ', '👍']) {
      text = `${text.slice(0, 5000)}${edit}${text.slice(5003)}`;
      const edited = await mapOf(text, mapper);
      expect(edited.tokens).toBe(tokenizer.encode(text).length);
      expect(edited.offsetOf(2000)).toBe((await mapOf(text)).offsetOf(2000));
    }
  });

  it('is the same after a thousand random edits as from scratch', async () => {
    const seed = 20_260_101;
    const next = uniform(seed);
    const below = (limit: number): number => Math.floor(next() * limit);
    const pieces = [
      'a',
      'word',
      "don't ",
      ' ',
      '\n',
      '\r\n',
      '\n\n',
      '7',
      '.',
      '日本',
      'é',
      '👍🏽',
      'x '.repeat(300),
      'line one\nline two\n',
    ];
    const mapper = new TokenMapper(tokenizer);
    let text = sampleText().slice(0, 3000);
    for (let step = 0; step < 1000; step += 1) {
      const at = below(text.length + 1);
      const removed = next() < 0.5 ? below(next() < 0.1 ? 2000 : 12) : 0;
      text = text.slice(0, at) + (next() < 0.7 ? pieces[below(pieces.length)] : '') + text.slice(at + removed);
      text = text.slice(0, 6000);
      const edited = await mapOf(text, mapper);
      const fresh = await mapOf(text);
      const token = below(fresh.tokens + 1);
      const replay = `seed ${seed}, step ${step}`;
      expect([replay, edited.tokens, edited.offsetOf(token), edited.tokenAt(at)]).toEqual([
        replay,
        fresh.tokens,
        fresh.offsetOf(token),
        fresh.tokenAt(at),
      ]);
      if (step % 20 === 0) {
        expect(edited.tokens).toBe(tokenizer.encode(text).length);
      }
    }
  });

  it('gives up when its answer is no longer wanted', async () => {
    const text = Array.from({ length: 20_000 }, (_, i) => `line number ${i} of a long prompt`).join('\n');
    expect(await new TokenMapper(tokenizer).map(text, () => true)).toBeUndefined();
  });
});

it('refuses a folder without a tokenizer', async () => {
  await expect(PromptTokenizer.load(temporaryFolder())).rejects.toThrow(
    /tokenizer\.json cannot be read [^;]*; use a folder with the model's tokenizer\.json/,
  );
});
