import { type Change } from './aligned';

/** A normalization form of Unicode (UAX 15). */
export type UnicodeForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

/**
 * Characters that can join the one before, or change places with it: combining marks, vowels and final consonants of Hangul,
 * and vowel signs of Kirat Rai.
 */
const joining = /^[\p{M}\u1160-\u11ff\u{16d63}-\u{16d6a}]/u;

/**
 * Whether a text's first character is normalized apart from what comes before, in any form.
 *
 * Half-width forms decompose to characters that join.
 */
export function changesAlone(text: string): boolean {
  const point = text.charCodeAt(0);
  return point < 0x300 || !joining.test(String.fromCodePoint(text.codePointAt(0) ?? point).normalize('NFKD'));
}

/** Brings text into a form, aligned by runs of characters that are normalized together. */
export function unicodeForm(form: UnicodeForm): Change {
  return (text) => {
    const changed = text.normalize(form);
    if (changed === text) {
      return { text, origins: undefined };
    }
    const origins = new Int32Array(changed.length);
    let written = 0;
    let from = 0;
    const take = (to: number): void => {
      const part = text.slice(from, to);
      const now = part.normalize(form);
      align(part, now, from, origins.subarray(written, written + now.length));
      written += now.length;
      from = to;
    };
    let at = 0;
    for (const character of text) {
      if (at > from && changesAlone(character)) {
        take(at);
      }
      at += character.length;
    }
    take(at);
    return { text: changed, origins };
  };
}

/**
 * Where the code units of a changed part come from: each of its characters from the next one of the original that it is, or
 * begins with, when decomposed.
 */
function align(part: string, changed: string, from: number, origins: Int32Array): void {
  if (part === changed) {
    origins.forEach((_, at) => (origins[at] = from + at));
    return;
  }
  const sources: { readonly character: string; readonly at: number }[] = [];
  let at = 0;
  for (const character of part) {
    for (const piece of character.normalize('NFKD')) {
      sources.push({ character: piece, at });
    }
    at += character.length;
  }
  let written = 0;
  for (const character of changed) {
    const [first] = character.normalize('NFKD');
    const found = sources.findIndex((source) => source.character === first);
    const origin = from + (found < 0 ? 0 : sources[found].at);
    if (found >= 0) {
      // What was composed is used up.
      for (const piece of character.normalize('NFKD')) {
        const used = sources.findIndex((source) => source.character === piece);
        if (used >= 0) {
          sources.splice(used, 1);
        }
      }
    }
    origins.fill(origin, written, written + character.length);
    written += character.length;
  }
}
