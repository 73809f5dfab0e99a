import { describe, expect, it } from 'vitest';
import { textKinds } from '../../../src/core/report/report';
import { uniform } from '../../../src/core/math/random';
import { codecOf } from '../../../src/engine/read/tokenizer/definition';
import { TokenIndex } from '../../../src/engine/read/tokenizer/token-index';
import { PromptTokenizer } from '../../../src/engine/read/tokenizer/tokenizer';
import { ggufKinds, writeTokenizer } from '../../support/tokenizers/gguf-kinds';
import { textOfKind } from '../../support/tokenizers/kinds';
import { Reference } from '../../support/tokenizers/reference';
import { TextMaker } from '../../support/tokenizers/texts';

const seed = 20_261_130;

/** Hard texts, and runs of blanks, which have ties among merges. */
function hardTexts(count: number): readonly string[] {
  const maker = new TextMaker(uniform(seed));
  const blanks = Array.from({ length: 40 }, (_, size) => `\n${' '.repeat(size)}x${'\t'.repeat(size)}${'\n'.repeat(size)}`);
  return [...Array.from({ length: count }, () => maker.text(1 + maker.below(60))), ...blanks];
}

describe('the tokenizer of a GGUF file', () => {
  it.each(Object.keys(ggufKinds))('of %s has the tokens of its tokenizer.json', async (name) => {
    const kind = ggufKinds[name];
    const definition = kind.definition();
    const tokenizer = await PromptTokenizer.load(await writeTokenizer(kind));
    expect(tokenizer.source).toEqual({ name: 'tokenizer.ggml', exact: true, reason: null, error: null });
    const own = codecOf(definition);
    const { prefix, suffix } = own;
    const rust = new Reference(definition, suffix.length);
    for (const [index, text] of [...hardTexts(300), ...textKinds.map((each) => textOfKind[each]().slice(0, 20_000))].entries()) {
      const ids = [...TokenIndex.of(own, text).ids()];
      expect([text, [...tokenizer.encode(text)]]).toEqual([text, ids]);
      expect([text, tokenizer.decode(ids)]).toEqual([text, own.decode(ids)]);
      if (index % 4 === 0) {
        expect([text, (await rust.tokensOf(text)).ids]).toEqual([text, ids]);
      }
    }
    expect([tokenizer.prefix, tokenizer.suffix]).toEqual([prefix, suffix]);
  });
});
