import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodingCodec, encodings, standInName } from '../../../src/engine/read/tokenizer/encodings';
import { TokenMapper } from '../../../src/engine/read/tokenizer/token-map';
import { PromptTokenizer } from '../../../src/engine/read/tokenizer/tokenizer';
import { temporaryFolder } from '../../support/temporary';
import { sampleText } from '../../support/paths';

/** A folder with a stand-in of this text. */
function folderWith(text: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, standInName), text);
  return folder;
}

const standIn = (encoding: string): string => JSON.stringify({ encoding, exact: false, reason: 'A test.' });

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
      '<|endoftext|>',
      'x'.repeat(3000),
      '👍🏽'.repeat(900),
    ),
    { maxLength: 25 },
  )
  .map((parts) => parts.join(''));

describe.each(encodings)('%s', (encoding) => {
  it('gives back every text that it is given', async () => {
    const codec = await encodingCodec(encoding);
    fc.assert(
      fc.property(awkward, (text) => {
        expect(codec.decode(codec.encode(text, true))).toBe(text);
      }),
      { numRuns: 60 },
    );
  });

  it('takes what looks like a special token for text, and half of a pair for a replacement character', async () => {
    const codec = await encodingCodec(encoding);
    expect(codec.encode('<|endoftext|>', true).length).toBeGreaterThan(3);
    expect(codec.decode(codec.encode('a\ud800b', true))).toBe('a\ufffdb');
  });

  it('is mapped to the text by segments as in one piece', async () => {
    const tokenizer = await PromptTokenizer.load(folderWith(standIn(encoding)));
    const map = await new TokenMapper(tokenizer).map(sampleText(), () => false);
    expect(map?.tokens).toBe(tokenizer.encode(sampleText()).length);
    expect(tokenizer.source).toEqual({ name: encoding, exact: false, reason: 'A test.' });
  });
});

it('counts as OpenAI does', async () => {
  // From OpenAI's cookbook, "How to count tokens with tiktoken".
  const text = 'antidisestablishmentarianism';
  const counts = await Promise.all(encodings.map(async (encoding) => (await encodingCodec(encoding)).encode(text, true)));
  expect(counts[0]).toEqual([415, 29207, 44390, 3699, 1042]);
  expect(counts[1]).toEqual([519, 85342, 34500, 479, 8997, 2191]);
  expect(counts[2]).toEqual([493, 129901, 376, 160388, 21203, 2367]);
});

it('ends on a megabyte of one letter', async () => {
  const text = 'a'.repeat(2 ** 20);
  const codec = await encodingCodec('cl100k_base');
  // Uncut, this takes minutes: the test would time out.
  expect(codec.decode(codec.encode(text, true))).toBe(text);
});

describe('a stand-in', () => {
  it.each([
    ['{', /is not JSON; give \{"encoding", "exact", "reason"\}/],
    [standIn('gpt5_base'), /encoding: .*give \{"encoding": one of r50k_base, cl100k_base, o200k_base/],
    ['{"encoding":"r50k_base","exact":true}', /reason: /],
    ['[]', /the file: /],
  ])('is refused where it is broken: %s', async (text, message) => {
    await expect(PromptTokenizer.load(folderWith(text))).rejects.toThrow(message);
  });
});
