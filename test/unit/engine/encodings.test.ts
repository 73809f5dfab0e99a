import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { get_encoding } from 'tiktoken';
import { describe, expect, it } from 'vitest';
import { uniform } from '../../../src/core/math/random';
import { encodingCodec, encodings, standInName } from '../../../src/engine/read/tokenizer/encodings';
import { firstIds, TokenIndex } from '../../../src/engine/read/tokenizer/token-index';
import { PromptTokenizer } from '../../../src/engine/read/tokenizer/tokenizer';
import { modelsFolder, sampleText } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';
import { TextMaker } from '../../support/tokenizers/texts';

/** A folder with a stand-in of this text. */
function folderWith(text: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, standInName), text);
  return folder;
}

const standIn = (encoding: string): string => JSON.stringify({ encoding, exact: false, reason: 'A test.' });

describe.each(encodings)('%s', (encoding) => {
  it('has the tokens of tiktoken, also after edits', async () => {
    const codec = await encodingCodec(encoding);
    const tiktoken = get_encoding(encoding);
    const maker = new TextMaker(uniform(7));
    for (let sequence = 0; sequence < 150; sequence += 1) {
      let index = TokenIndex.empty(codec, 8);
      let text = maker.text(1 + maker.below(120));
      for (let edit = 0; edit < 5; edit += 1) {
        index = index.edited(text);
        expect([text, ...index.ids()]).toEqual([text, ...tiktoken.encode_ordinary(text.replace(/\p{Surrogate}/gu, '\ufffd'))]);
        text = maker.edit(text);
      }
      expect(codec.decode([...index.ids()])).toBe(index.text.replace(/\p{Surrogate}/gu, '\ufffd'));
    }
    tiktoken.free();
  });

  it('takes what looks like a special token for text, and half of a pair for a replacement character', async () => {
    const codec = await encodingCodec(encoding);
    expect(firstIds(codec, '<|endoftext|>').length).toBeGreaterThan(3);
    expect(codec.decode([...firstIds(codec, 'a\ud800b')])).toBe('a\ufffdb');
  });

  it('ends on a quarter of a megabyte without a break', async () => {
    const codec = await encodingCodec(encoding);
    for (const text of ['a'.repeat(2 ** 18), ' '.repeat(2 ** 18), '\n'.repeat(2 ** 18), 'a/+='.repeat(2 ** 16)]) {
      const ids = firstIds(codec, text);
      const tokens = TokenIndex.of(codec, text);
      expect(tokens.tokens).toBe(ids.length);
      expect(codec.decode([...ids.slice(0, 1000)])).toBe(text.slice(0, tokens.offsetOf(1000)));
    }
  });

  it('stands in for a tokenizer', async () => {
    const tokenizer = await PromptTokenizer.load(folderWith(standIn(encoding)));
    expect(tokenizer.index(sampleText()).tokens).toBe(tokenizer.encode(sampleText()).length);
    expect(tokenizer.source).toEqual({ name: encoding, exact: false, reason: 'A test.', error: null });
  });
});

it('counts as OpenAI does', async () => {
  // From OpenAI's cookbook, "How to count tokens with tiktoken".
  const text = 'antidisestablishmentarianism';
  const cookbook = ['r50k_base', 'cl100k_base', 'o200k_base'] as const;
  const counts = await Promise.all(cookbook.map(async (encoding) => [...firstIds(await encodingCodec(encoding), text)]));
  expect(counts[0]).toEqual([415, 29207, 44390, 3699, 1042]);
  expect(counts[1]).toEqual([519, 85342, 34500, 479, 8997, 2191]);
  expect(counts[2]).toEqual([493, 129901, 376, 160388, 21203, 2367]);
});

it.each([
  ['gpt2', 'r50k_base'],
  ['llama-3.1-8b', 'cl100k_base'],
] as const)('counts a line of minified JSON for %s as tiktoken does', async (model, encoding) => {
  // Longer than a hundred kilobytes, without a break: nothing may cut it.
  const records = readFileSync(join(modelsFolder, '..', 'samples', 'long-prompt.md'), 'utf8').split('\n');
  const line = JSON.stringify(records.map((text, id) => ({ id, text, score: Math.sqrt(id), tags: [text.length, null, true] })));
  const tiktoken = get_encoding(encoding);
  const tokenizer = await PromptTokenizer.load(join(modelsFolder, model));
  expect(tokenizer.encode(line).length).toBe(tiktoken.encode_ordinary(line).length);
  tiktoken.free();
});

it('reads no more of a text than the tokens that are wanted', async () => {
  const codec = await encodingCodec('cl100k_base');
  let checks = 0;
  const ids = firstIds(codec, sampleText().repeat(500), 100, () => (checks += 1));
  expect([...ids]).toEqual([...firstIds(codec, sampleText()).slice(0, 100)]);
  expect(checks).toBe(0);
});

describe('a stand-in', () => {
  it.each([
    ['{', /is not JSON; give \{"encoding", "exact", "reason"\}/],
    [standIn('gpt5_base'), /encoding: .*give \{"encoding": one of r50k_base, p50k_base, cl100k_base, o200k_base/],
    ['{"encoding":"r50k_base","exact":true}', /reason: /],
    [`${standIn('r50k_base').slice(0, -1)},"error":{"english":0.1,"code":"2%"}}`, /error\.code: /],
    ['[]', /the file: /],
  ])('is refused where it is broken: %s', async (text, message) => {
    await expect(PromptTokenizer.load(folderWith(text))).rejects.toThrow(message);
  });
});
