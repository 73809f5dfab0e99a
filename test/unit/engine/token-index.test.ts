import { Tokenizer as JavaScriptTokenizer } from '@huggingface/tokenizers';
import { Tokenizer as RustTokenizer } from 'tokenizers';
import { describe, expect, it } from 'vitest';
import { uniform } from '../../../src/core/math/random';
import type { Codec } from '../../../src/engine/read/tokenizer/codec';
import { codecOf } from '../../../src/engine/read/tokenizer/definition';
import { firstIds, TokenIndex } from '../../../src/engine/read/tokenizer/token-index';
import { definitions } from '../../support/tokenizers/definitions';
import { TextMaker } from '../../support/tokenizers/texts';

/** Sequences of edits a kind, and edits in each. */
const sequences = 150;
const edits = 5;

/** A text as a file in UTF-8 holds it. */
const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd');

/** Tokens of an index, with where they begin. */
function tokensOf(index: TokenIndex): { readonly ids: number[]; readonly starts: number[] } {
  return { ids: [...index.ids()], starts: Array.from({ length: index.tokens }, (_, token) => index.offsetOf(token)) };
}

/** What the Rust library says, with offsets in code units; those of tokens after the text are at its end. */
async function reference(rust: RustTokenizer, text: string, { suffix }: Codec): ReturnType<typeof async_> {
  const encoded = await rust.encode(wellFormed(text));
  const units = [0];
  for (const character of text) {
    units.push(units[units.length - 1] + character.length);
  }
  const ids = encoded.getIds();
  const starts = encoded.getOffsets().map(([from], token) => (token >= ids.length - suffix.length ? text.length : units[from]));
  return { ids, starts };
}
declare function async_(): Promise<{ ids: number[]; starts: number[] }>;

describe.each(Object.keys(definitions))('%s', (kind) => {
  it(`is the same after ${sequences} times ${edits} edits as from scratch, and as the Rust library has it`, async () => {
    const definition = definitions[kind]();
    const codec = codecOf(definition);
    const rust = RustTokenizer.fromString(JSON.stringify(definition));
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
      expect({ sequence, text, ...tokensOf(index) }).toEqual({ sequence, text, ...(await reference(rust, text, codec)) });
      const most = maker.below(index.tokens + 2);
      expect([...firstIds(codec, text, most)]).toEqual([...index.ids(0, most)]);
    }
  });
});
