import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { errorShown } from '../../../src/core/errors';
import { scenarioOf } from '../../../src/core/evaluate/experiment';
import { formatNumberOf } from '../../../src/core/format';
import { english, inEnglish, isSentence, messageShown, setTranslations, t } from '../../../src/core/l10n';
import { rowText, roundedVerdict, verdictText } from '../../../src/core/report/verdict';
import { coverageWords, reasonShown, verdictWords } from '../../../src/core/report/verdict-words';
import { parseMask } from '../../../src/core/scenario/expression/parse';
import { parseExperiment } from '../../../src/engine/tasks/evaluate/experiment-file';
import { root } from '../../support/paths';

const german = JSON.parse(readFileSync(join(root, 'l10n', 'bundle.l10n.de.json'), 'utf8')) as Record<string, string>;

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

  it('says in German what the engine made in English, its values too', () => {
    setTranslations(german);
    const rounding = { error: 2e-6, bound: 5e-5, largestBound: 5e-5 };
    expect(verdictText(roundedVerdict(rounding, { construction: 'fused', precision: 'float32' }))).toBe(
      'exakt: Jede verglichene Zeile ist innerhalb von: float32-Rundung. Die ihrer Schranke nächste weicht um 2.0e-6 des größten Werts ab und darf es um 5.0e-5.',
    );
    const off = english(verdictWords.rowOff, rowText({ layer: 8, head: 0, row: 248 }), english(verdictWords.others, 3));
    expect(reasonShown(off)).toBe(
      'Zeile 249 von Kopf 1 in Schicht 9 weicht um mehr ab, als Rundung erklärt, und mindestens 3 weitere Zeilen.',
    );
    // None is taken for another, whatever its values are.
    const values = ['1.0e-5', '2', '3,000', '4', '5'];
    for (const message of [...Object.values(verdictWords), ...Object.values(coverageWords)]) {
      expect(reasonShown(english(message, ...values))).toBe(english(german[message], ...values));
    }
    expect(reasonShown('What another version says.')).toBe('What another version says.');
  });

  it('says errors in German: whole ones, with clauses as values, and those put together of several', () => {
    setTranslations(german);
    const refusedBy = (run: () => unknown): string => {
      try {
        run();
      } catch (error) {
        return errorShown(error);
      }
      return 'not refused';
    };
    expect(refusedBy(() => parseMask('min(k) <= q'))).toBe('Maske "min(k) <= q": min nimmt 2 Zahlen und hat 1.');
    expect(refusedBy(() => scenarioOf('sliding-window:0'))).toBe(
      'Fenster r: 0 liegt außerhalb des Bereichs; verwenden Sie eine ganze Zahl von 1 bis 100000000.',
    );
    expect(refusedBy(() => parseExperiment('{"version": 1', 'x.two-heads.json'))).toMatch(
      /^x\.two-heads\.json ist kein JSON; \p{Lu}?[^;]*$/u,
    );
    expect(errorShown(new Error('Nobody translated this: not even a part of it.'))).toBe('Nobody translated this: not even a part of it.');
  });

  it('takes no message for another, whatever its values are', () => {
    setTranslations(german);
    const values = ['1.0e-5', '2', '3,000', '4', '5', '6', '7'];
    const wrong = Object.keys(german)
      .filter(isSentence)
      .filter((message) => messageShown(english(message, ...values)) !== english(german[message], ...values));
    expect(wrong).toEqual([]);
  });

  it('is done with a long message soon, whatever is in it', () => {
    setTranslations(german);
    // As people can write it into a mask: the words of every message, and what parts messages, again and again.
    const words = Object.keys(german).flatMap((message) => message.split(/\{\d+\}/));
    for (const part of [': ', '; ', ', ', ' ', '"', 'a', "; restore the model's config.json."]) {
      expect(typeof messageShown(`${words.join(part)}${part.repeat(2_000)}x`)).toBe('string');
      expect(typeof messageShown(`x: ${part.repeat(2_000)}; restore the model's config.json`)).toBe('string');
    }
  });
});
