import { beforeAll, describe, expect, it } from 'vitest';
import { uniform } from '../../../src/core/math/random';
import { textKinds } from '../../../src/core/report/report';
import { PromptTokenizer } from '../../../src/engine/read/tokenizer/tokenizer';
import { llamaFolder } from '../../support/llama-cpp/compare';
import { installLlama, llamaRefusal } from '../../support/llama-cpp/install';
import { LlamaCpp } from '../../support/llama-cpp/llama';
import { ggufKinds, writeTokenizer } from '../../support/tokenizers/gguf-kinds';
import { textOfKind } from '../../support/tokenizers/kinds';
import { TextMaker } from '../../support/tokenizers/texts';

const maker = new TextMaker(uniform(20_261_131));
/** Hard texts as a file in UTF-8 holds them, and the beginnings of long ones. */
const texts = [
  ...Array.from({ length: 150 }, () => maker.text(1 + maker.below(60)).replace(/\p{Surrogate}/gu, '\ufffd')),
  ...textKinds.map((kind) => textOfKind[kind]().slice(0, 3000)),
  ' việc hợp nhiều điều',
];

/** Where llama.cpp is known to read a text otherwise than the model's `tokenizer.json`, whose way is taken. */
const faults = {
  'it does not compose characters (NFC)': (text: string) => text !== text.normalize('NFC'),
  'its words of capitals and small letters have no marks': (text: string) => /\p{M}/u.test(text),
  'its white space is that of ASCII': (text: string) => /(?![\t\n\v\f\r ])\p{White_Space}/u.test(text),
  'it takes </s> for a special token in every vocabulary': (text: string) => text.includes('</s>'),
  'it looks for runs of spaces before it merges': (text: string) => text.includes('  ') || /[>\n] | </.test(text),
  'it has no products of other merges as whole words': (text: string) => /[^\x20-\x7e\s]/.test(text),
  'it takes words of any length': (text: string) => /\S{101}/.test(text),
  'it lowers and classes other characters': (text: string) => /[^\x20-\x7e\n\u4e00-\u9fff]/.test(text),
  'it takes ▁ for a space that is there': (text: string) => text.includes('▁'),
  'it maps characters, not graphemes': (text: string) => /\s\p{M}/u.test(text),
} as const;

const known: Readonly<Record<string, readonly (keyof typeof faults)[]>> = {
  'Gemma 3': ['it looks for runs of spaces before it merges', 'it takes ▁ for a space that is there'],
  'Gemma 4 (as Gemma 3)': ['it looks for runs of spaces before it merges', 'it takes ▁ for a space that is there'],
  SmolLM3: ['it has no products of other merges as whole words'],
  'Qwen 3': ['it does not compose characters (NFC)', 'it takes </s> for a special token in every vocabulary'],
  'GPT-4o': ['its words of capitals and small letters have no marks'],
  'Pythia (GPT-NeoX)': ['it does not compose characters (NFC)'],
  'DeepSeek-Coder': ['its white space is that of ASCII'],
  'Command R': ['it does not compose characters (NFC)'],
  'Mistral NeMo (Tekken)': ['its words of capitals and small letters have no marks'],
  'Qwen 3.5': ['it does not compose characters (NFC)'],
  T5: ['it takes ▁ for a space that is there', 'it maps characters, not graphemes'],
  BERT: ['it takes words of any length', 'it lowers and classes other characters'],
};

describe.skipIf(llamaRefusal !== undefined)(`tokenizers against llama.cpp${llamaRefusal === undefined ? '' : `: ${llamaRefusal}`}`, () => {
  let missing: string | undefined;
  beforeAll(async () => {
    await installLlama(llamaFolder).catch((error: unknown) => (missing = String(error)));
  });

  // `--reporter verbose` shows how many texts are left out.
  it.for(Object.keys(ggufKinds))('gives the tokens of %s', async (name, { annotate, skip }) => {
    skip(missing !== undefined, missing);
    const path = await writeTokenizer(ggufKinds[name]);
    const { bare } = await PromptTokenizer.load(path);
    const llama = await LlamaCpp.open(llamaFolder, path, 1, true);
    try {
      const differs = (text: string): boolean => bare.encode(text).join() !== llama.tokensOf(text).join();
      const own = known[name] ?? [];
      const plain = texts.filter((text) => !own.some((fault) => faults[fault](text)));
      await annotate(`${plain.length} of ${texts.length} texts`);
      expect(plain.length).toBeGreaterThan(texts.length / 10);
      expect(plain.filter(differs).map((text) => text.slice(0, 80))).toEqual([]);
      for (const fault of own) {
        expect([fault, texts.some((text) => faults[fault](text) && differs(text))]).toEqual([fault, true]);
      }
    } finally {
      await llama.close();
    }
  });
});
