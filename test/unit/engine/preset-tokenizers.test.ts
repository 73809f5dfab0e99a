import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer as RustTokenizer } from 'tokenizers';
import { describe, expect, it } from 'vitest';
import { type TextKind, textKinds } from '../../../src/core/report/report';
import { PromptTokenizer } from '../../../src/engine/read/tokenizer/tokenizer';
import { modelsFolder } from '../../support/paths';
import { definitions } from '../../support/tokenizers/definitions';
import { textOfKind } from '../../support/tokenizers/kinds';

const load = (model: string): Promise<PromptTokenizer> => PromptTokenizer.load(join(modelsFolder, model));
const written = (model: string): string => readFileSync(join(modelsFolder, model, 'tokenizer.json'), 'utf8');
const published = (name: string): RustTokenizer => RustTokenizer.fromString(JSON.stringify(definitions[name]()));

async function idsOf(rust: RustTokenizer, text: string): Promise<number[]> {
  return (await rust.encode(text)).getIds();
}

describe('tokenizers of presets', () => {
  it.each([
    // Of Qwen's own file, sha256 aeb13307…, without its vocabulary.
    ['qwen3-8b', '6c1382aed3c6cb3923dfb0730e178044f365b05b03588ed811a1d4460687ca74'],
    // Of Mistral's own file, sha256 ce94e23d…, without its white space.
    ['mistral-7b-v0.1', '20ea1f095e1de7e6d9e223f502009c1bfe1479ae24020467a7b95845d6729b86'],
  ])('are written by `npm run generate` as they were published: %s', (model, digest) => {
    expect(createHash('sha256').update(written(model)).digest('hex')).toBe(digest);
  });

  it.each([
    ['qwen3-8b', () => published('Qwen 3')],
    ['mistral-7b-v0.1', () => RustTokenizer.fromString(written('mistral-7b-v0.1'))],
    ['gpt2', () => published('GPT-2')],
  ] as const)('%s has the tokens of the Rust library on every kind of text', async (model, rust) => {
    const tokenizer = await load(model);
    const library = rust();
    expect(tokenizer.source).toMatchObject({ exact: true, error: null });
    for (const kind of textKinds) {
      const text = textOfKind[kind]();
      expect([kind, ...tokenizer.encode(text)]).toEqual([kind, ...(await idsOf(library, text))]);
    }
  });
});

/**
 * Tokens by ModernBERT's tokenizer, which no package of npm has. By the Rust library from the tokenizer that it is made of,
 * allenai/OLMo's `allenai_gpt-neox-olmo-dolma-v1_5.json` (sha256 9ad33b4b…), and two for [CLS] and [SEP].
 */
const modernBert: Readonly<Record<TextKind, number>> = { english: 6125, code: 24_566, chinese: 3601, json: 40_993, scripts: 57_528 };

describe('estimates of presets', () => {
  const byLlama = published('Llama 3.1');
  const llama = async (kind: TextKind): Promise<number> => (await idsOf(byLlama, textOfKind[kind]())).length;

  it.each([
    ['llama-3.1-8b', llama],
    ['llama-3.1-70b', llama],
    ['modernbert-base', (kind: TextKind): Promise<number> => Promise.resolve(modernBert[kind])],
  ])('%s is as far off as it says', async (model, tokensOf) => {
    const tokenizer = await load(model);
    for (const kind of textKinds) {
      const own = await tokensOf(kind);
      expect(tokenizer.source.error?.[kind], kind).toBeCloseTo((tokenizer.encode(textOfKind[kind]()).length - own) / own, 3);
    }
  });

  it('says where it was not measured', async () => {
    expect((await load('smollm2-135m')).source).toMatchObject({ exact: false, error: null });
  });
});
