import { afterEach, describe, expect, it } from 'vitest';
import { formatNumberOf } from '../../../src/core/format';
import { inEnglish, setTranslations, t } from '../../../src/core/l10n';

afterEach(() => setTranslations(undefined));

describe('translations', () => {
  it('fills what is left open, in English', () => {
    expect(t('{1} of {0}', 5, 'two')).toBe('two of 5');
    expect(t('{0} and {1}', 'one')).toBe('one and {1}');
  });

  it('says a text in the language that was set, in its own order', () => {
    setTranslations({ '{0} of {1}': 'von {1} die {0}' });
    expect(t('{0} of {1}', 1, 2)).toBe('von 2 die 1');
    expect(t('not translated')).toBe('not translated');
  });

  it('can be left aside for a while, whatever happens in it', () => {
    setTranslations({ word: 'Wort' });
    expect(inEnglish(() => t('word'))).toBe('word');
    expect(() =>
      inEnglish(() => {
        throw new Error(t('word'));
      }),
    ).toThrow('word');
    expect(t('word')).toBe('Wort');
  });

  it('takes nothing that is not text', () => {
    for (const bundle of [undefined, null, 5, 'text', { word: 5, other: null }]) {
      setTranslations(bundle);
      expect(t('word')).toBe('word');
    }
  });

  it('counts in that language', () => {
    setTranslations({ '{0} token': '{0} Token', '{0} calls': '{0} Aufrufe' });
    expect([formatNumberOf(1, 'token'), formatNumberOf(2000, 'call'), formatNumberOf(2, 'token')]).toEqual([
      '1 Token',
      '2,000 Aufrufe',
      '2 tokens',
    ]);
  });
});
