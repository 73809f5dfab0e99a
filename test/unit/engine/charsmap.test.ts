import { precompiled } from 'tokenizers';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/core/errors';
import { uniform } from '../../../src/core/math/random';
import { Charsmap } from '../../../src/engine/read/tokenizer/charsmap';
import { codecOf } from '../../../src/engine/read/tokenizer/definition';
import { TokenIndex } from '../../../src/engine/read/tokenizer/token-index';
import { charsmapOf, nmtNfkc } from '../../support/tokenizers/charsmap';
import { definitions } from '../../support/tokenizers/definitions';
import { Reference, tokensOf, wellFormed } from '../../support/tokenizers/reference';
import { TextMaker } from '../../support/tokenizers/texts';

/** Characters that begin, join or end graphemes of few bytes, with those that do not. */
const joining = Array.from('ae\u0301\u0300\u0308\u0600\u06dd\u200d©®\u00bc\u00b4\r\n\t \u00ad\u007fß\ufb01ｶﾞ\u0e33\u0915\u094d\ufdfa🇩👍🏽é');
/** Keys that begin with others, which real maps do not have: the shortest counts. */
const odd = new Map([
  ['a', 'b'],
  ['ae', 'c'],
  ['e\u0301', 'xyz'],
  ['\u0600a', ''],
  ['©', ' © '],
]);

const maps = { nmt_nfkc: nmtNfkc(), 'keys that begin with others': odd };

describe.each(Object.entries(maps))('a map of characters: %s', (_name, entries) => {
  const bytes = charsmapOf(entries);
  const charsmap = new Charsmap(bytes.toString('base64'));
  const rust = precompiled([...bytes]);

  it('replaces what the Rust library does', () => {
    const maker = new TextMaker(uniform(5));
    let changed = 0;
    for (let sequence = 0; sequence < 3000; sequence += 1) {
      const text =
        sequence % 2 === 0
          ? wellFormed(maker.text(1 + maker.below(20)))
          : Array.from({ length: 1 + maker.below(8) }, () => joining[maker.below(joining.length)]).join('');
      const found = charsmap.change(text);
      expect({ sequence, text, found: found.text }).toEqual({ sequence, text, found: rust.normalizeString(text) });
      changed += Number(found.text !== text);
    }
    expect(changed).toBeGreaterThan(500);
  });

  it('changes the parts of a text as it changes the whole', () => {
    const maker = new TextMaker(uniform(6));
    let parted = 0;
    for (let sequence = 0; sequence < 1000; sequence += 1) {
      const text = Array.from({ length: 2 + maker.below(8) }, () => joining[maker.below(joining.length)]).join('');
      const whole = charsmap.change(text).text;
      let at = 0;
      for (const character of text.slice(0, -1)) {
        at += character.length;
        if (at < text.length && charsmap.startsAt(text, at)) {
          expect({ text, at, changed: charsmap.change(text.slice(0, at)).text + charsmap.change(text.slice(at)).text }).toEqual({
            text,
            at,
            changed: whole,
          });
          parted += 1;
        }
      }
    }
    expect(parted).toBeGreaterThan(1000);
  });

  it('is exact, and has the tokens of the Rust library after edits', async () => {
    const definition = {
      ...definitions['ALBERT (Metaspace, runs of spaces)'](),
      normalizer: {
        type: 'Sequence',
        normalizers: [
          { type: 'Precompiled', precompiled_charsmap: bytes.toString('base64') },
          { type: 'Replace', pattern: { Regex: ' {2,}' }, content: '\u2581' },
        ],
      },
    };
    const codec = codecOf(definition);
    expect(codec.approximation).toBeNull();
    const reference = new Reference(definition, 0);
    const maker = new TextMaker(uniform(7));
    for (let sequence = 0; sequence < 60; sequence += 1) {
      let text = maker.text(1 + maker.below(80));
      let index = TokenIndex.empty(codec, 8).edited(text);
      for (let edit = 0; edit < 4; edit += 1) {
        text = maker.edit(text);
        index = index.edited(text);
        expect({ sequence, text, ...tokensOf(index) }).toEqual({ sequence, text, ...tokensOf(TokenIndex.of(codec, text)) });
      }
      // Places are not compared: after a replacement that is longer or shorter, the Rust library's are off to the end of the text.
      expect({ sequence, text, ids: [...index.ids()] }).toEqual({ sequence, text, ids: (await reference.tokensOf(text)).ids });
    }
  });
});

it.each(['', 'AAAA', 'not base64', Buffer.from([8, 0, 0, 0, 1]).toString('base64')])('refuses a map that is broken: %s', (base64) => {
  expect(() => new Charsmap(base64)).toThrow(InputError);
});

it('does not read outside of a map that points there', () => {
  const broken = Buffer.alloc(8, 0xff);
  broken.writeUInt32LE(4);
  expect(new Charsmap(broken.toString('base64')).change('aé').text).toBe('aé');
});
