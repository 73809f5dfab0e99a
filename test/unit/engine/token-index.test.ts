import { Tokenizer as JavaScriptTokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { uniform } from '../../../src/core/math/random';
import { codecOf } from '../../../src/engine/read/tokenizer/definition';
import { firstIds, TokenIndex } from '../../../src/engine/read/tokenizer/token-index';
import { definitions } from '../../support/tokenizers/definitions';
import { Reference, tokensOf, wellFormed } from '../../support/tokenizers/reference';
import { TextMaker } from '../../support/tokenizers/texts';

/** Sequences of edits a kind, and edits in each. */
const sequences = 6;
const edits = 5;

/** Kinds in which `@huggingface/tokenizers` says the same; in others it differs from the Rust library. */
const alsoInJavaScript = ['Llama 2', 'Llama 3.1', 'Qwen 3', 'Gemma 3', 'GPT-4o', 'GPT-2', 'tiny-docs-5m'];

const bytesOfUnigram = 'ALBERT (Metaspace, runs of spaces)';
const byteIds = new Set(Array.from({ length: 256 }, (_, byte) => byte + 1));

describe.each(Object.keys(definitions))('%s', (kind) => {
  it(`is the same after ${sequences} times ${edits} edits as from scratch, and as the Rust library has it`, async () => {
    const definition = definitions[kind]();
    const codec = codecOf(definition);
    const rust = new Reference(definition, codec.suffix.length);
    const javaScript = alsoInJavaScript.includes(kind) ? new JavaScriptTokenizer(definition, {}) : undefined;
    const seed = 20_260_131;
    const maker = new TextMaker(uniform(seed));
    for (let sequence = 0; sequence < sequences; sequence += 1) {
      let text = maker.text(1 + maker.below(120));
      let index = TokenIndex.empty(codec, 8).edited(text);
      for (let edit = 0; edit < edits; edit += 1) {
        text = maker.edit(text);
        index = index.edited(text);
        const replay = { seed, sequence, edit, text };
        expect({ replay, ...tokensOf(index) }).toEqual({ replay, ...tokensOf(TokenIndex.of(codec, text)) });
      }
      const expected = await rust.tokensOf(text);
      const found = tokensOf(index);
      // The Rust library places all bytes of unknown characters in a row where the row begins; we place them at their characters.
      const exact =
        kind === bytesOfUnigram ? found.starts.map((start, token) => (byteIds.has(found.ids[token]) ? NaN : start)) : found.starts;
      const starts = exact.map((start, token) => (Number.isNaN(start) ? start : expected.starts[token]));
      expect({ sequence, text, ids: found.ids, starts: exact }).toEqual({ sequence, text, ids: expected.ids, starts });
      if (javaScript !== undefined) {
        expect([text, ...found.ids]).toEqual([text, ...javaScript.encode(wellFormed(text)).ids]);
      }
      const most = maker.below(index.tokens + 2);
      expect([...firstIds(codec, text, most)]).toEqual([...index.ids(0, most)]);
    }
  });
});
