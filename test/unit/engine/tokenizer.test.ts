import { beforeAll, describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/core/errors';
import { uniform } from '../../../src/core/math/random';
import type { TokenIndex } from '../../../src/engine/read/tokenizer/token-index';
import { PromptTokenizer } from '../../../src/engine/read/tokenizer/tokenizer';
import { embeddedFolder, sampleText } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';

let tokenizer: PromptTokenizer;
beforeAll(async () => {
  tokenizer = await PromptTokenizer.load(embeddedFolder);
});

describe('an index of tokens', () => {
  it('places every token where its text begins, in order', () => {
    const text = sampleText();
    const index = tokenizer.index(text);
    const ids = tokenizer.encode(text);
    expect([...index.ids()]).toEqual([...ids]);
    for (let token = 1; token < index.tokens; token += 1) {
      expect(text.slice(index.offsetOf(token), index.offsetOf(token + 1))).toBe(tokenizer.decode([ids[token]]));
    }
    expect(index.offsetOf(0)).toBe(0);
    expect(index.offsetOf(1)).toBe(0);
    expect(index.offsetOf(index.tokens)).toBe(text.length);
  });

  it('finds the token at an offset', () => {
    const text = sampleText();
    const index = tokenizer.index(text);
    for (let token = 1; token < index.tokens; token += 53) {
      expect(index.tokenAt(index.offsetOf(token))).toBe(token);
      expect(index.tokenAt(index.offsetOf(token + 1) - 1)).toBe(token);
    }
    expect(index.tokenAt(text.length)).toBe(index.tokens - 1);
    expect(index.tokenAt(0)).toBe(1);
  });

  it('places tokens that split a character at that character', () => {
    const index = tokenizer.index('ab 👍🏽 cd');
    const offsets = Array.from({ length: index.tokens }, (_, token) => index.offsetOf(token));
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    offsets.forEach((offset) => expect(offset).not.toBe(4));
  });

  it('cuts at an offset into tokens that begin before it and tokens that do not', () => {
    const text = 'A word, 🦜🦜 and\n\n# another';
    const index = tokenizer.index(text);
    for (let offset = 0; offset <= text.length; offset += 1) {
      const begun = Array.from({ length: index.tokens }, (_, token) => token).filter((token) => index.offsetOf(token) < offset);
      expect(index.firstTokenFrom(offset)).toBe(begun.length);
    }
    expect(index.tokensIn(2, 6)).toEqual({ from: index.firstTokenFrom(2), to: index.firstTokenFrom(6) });
  });

  it('of an empty text has the tokens that the tokenizer adds', () => {
    const { emptyIndex } = tokenizer;
    expect([...emptyIndex.ids()]).toEqual([...tokenizer.prefix]);
    expect([emptyIndex.offsetOf(0), emptyIndex.tokenAt(0), emptyIndex.firstTokenFrom(0)]).toEqual([0, 0, 0]);
    expect(tokenizer.index('').tokens).toBe(tokenizer.encode('').length);
  });

  it('of a long text is the same after edits as from scratch, and so is the one before the edit', () => {
    const next = uniform(3);
    let text = sampleText().repeat(4);
    let index = tokenizer.index(text);
    for (const edit of ['x', '\n\n', ' new words ', '👍', '', 'line\n'.repeat(3000)]) {
      const at = Math.floor(next() * text.length);
      const edited = `${text.slice(0, at)}${edit}${text.slice(at + 3)}`;
      const before = [...index.ids()];
      const after = index.edited(edited);
      expect([...after.ids()]).toEqual([...tokenizer.encode(edited)]);
      expect(after.offsetOf(20_000)).toBe(tokenizer.index(edited).offsetOf(20_000));
      expect([...index.ids()]).toEqual(before);
      text = edited;
      index = after;
    }
  });

  it('shares what an edit does not change', () => {
    const text = sampleText().repeat(20);
    const index = tokenizer.index(text);
    const steps = stepsOf(index, `${text.slice(0, 100_000)}x${text.slice(100_000)}`);
    expect([...steps].length).toBeLessThan(3);
    expect([...stepsOf(tokenizer.emptyIndex, text)].length).toBeGreaterThan(60);
  });

  it('goes on from what was read before the text changed', () => {
    const text = sampleText().repeat(3);
    const steps = tokenizer.emptyIndex.steps(text);
    let so = steps.next();
    for (let count = 0; count < 3 && so.done !== true; count += 1) {
      so = steps.next();
    }
    if (so.done === true) {
      throw new Error('The text is too short.');
    }
    for (const changed of [text, `${text}more`, text.slice(0, 9000), `x${text}`, text.slice(0, 3000) + text.slice(3001)]) {
      expect([...so.value().edited(changed).ids()]).toEqual([...tokenizer.encode(changed)]);
    }
  });

  it('is stopped by its check, and stays as it was', () => {
    const index = tokenizer.index('A text.');
    const stop = (): void => {
      throw new CancelledError();
    };
    expect(() => index.edited(sampleText(), stop)).toThrow(CancelledError);
    expect(() => tokenizer.encode('x'.repeat(100_000), undefined, stop)).toThrow(CancelledError);
    expect(index.text).toBe('A text.');
  });
});

/** The steps of an edit, but for its result. */
function* stepsOf(index: TokenIndex, text: string): Generator<() => TokenIndex> {
  yield* index.steps(text);
}

it('gives the first tokens of a text alone', () => {
  const text = sampleText();
  for (const most of [0, 1, 2, 100, 1e9]) {
    expect([...tokenizer.encode(text, most)]).toEqual([...tokenizer.encode(text).slice(0, most)]);
  }
});

it('refuses a folder without a tokenizer', async () => {
  await expect(PromptTokenizer.load(temporaryFolder())).rejects.toThrow(
    /tokenizer\.json cannot be read [^;]*; use a folder with the model's tokenizer\.json/,
  );
});
