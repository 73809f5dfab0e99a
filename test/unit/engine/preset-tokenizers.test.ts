import { join } from 'node:path';
import { Tokenizer as RustTokenizer } from 'tokenizers';
import { describe, expect, it } from 'vitest';
import { type TextKind, textKinds } from '../../../src/core/report/report';
import { PromptTokenizer } from '../../../src/engine/read/tokenizer/tokenizer';
import { modelsFolder } from '../../support/paths';
import { definitions } from '../../support/tokenizers/definitions';
import { textOfKind } from '../../support/tokenizers/kinds';

const load = (model: string): Promise<PromptTokenizer> => PromptTokenizer.load(join(modelsFolder, model));
const published = (name: string): RustTokenizer => RustTokenizer.fromString(JSON.stringify(definitions[name]()));

async function idsOf(rust: RustTokenizer, text: string): Promise<number[]> {
  return (await rust.encode(text)).getIds();
}

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
