import { InputError } from '../../../core/errors';

/** Text that came from other text. Offsets are UTF-16 code units. */
export interface AlignedText {
  readonly text: string;
  /** Where in the original each code unit comes from; undefined if they are the same. */
  readonly origins: Int32Array | undefined;
}

/** A change of text that keeps track of where its parts come from. */
export type Change = (text: string) => AlignedText;

/** Changes text part by part. Parts that stay the same stay aligned; a changed part begins as a whole where it began. */
export function changeParts(parts: Iterable<string>, change: (part: string) => string): AlignedText {
  const changed: string[] = [];
  const origins: number[] = [];
  let from = 0;
  for (const part of parts) {
    const now = change(part);
    changed.push(now);
    const same = now === part;
    for (let at = 0; at < now.length; at += 1) {
      origins.push(same ? from + at : from);
    }
    from += part.length;
  }
  return { text: changed.join(''), origins: Int32Array.from(origins) };
}

/** Greatest growth of text by one normalizer: the longest decomposition in Unicode has 18 characters. */
const mostGrowth = 32;

/** Applies changes one after another. @throws InputError if text grows as no real tokenizer makes it grow */
export function inSequence(changes: readonly Change[]): Change {
  return (original) => {
    let text = original;
    let origins: Int32Array | undefined;
    for (const change of changes) {
      const next = change(text);
      const before: Int32Array | undefined = origins;
      origins = before === undefined || next.origins === undefined ? (next.origins ?? before) : next.origins.map((at) => before[at]);
      text = next.text;
      if (text.length > original.length * mostGrowth + mostGrowth) {
        throw new InputError(`its normalizer makes text more than ${mostGrowth} times as long`);
      }
    }
    return { text, origins };
  };
}

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
    for (const part of partsOf(text)) {
      const now = part.normalize(form);
      const places = origins.subarray(written, written + now.length);
      if (now === part) {
        places.forEach((_, at) => (places[at] = from + at));
      } else {
        align(part, now, form, from, places);
      }
      written += now.length;
      from += part.length;
    }
    return { text: changed, origins };
  };
}

/** The parts of a text, cut before every character that begins afresh. */
function* partsOf(text: string): Generator<string> {
  let from = 0;
  let at = 0;
  for (const character of text) {
    if (at > from && changesAlone(character)) {
      yield text.slice(from, at);
      from = at;
    }
    at += character.length;
  }
  if (at > from) {
    yield text.slice(from);
  }
}

/**
 * Where the code units of a changed part come from, by the Rust library's way of counting: characters that a decomposition adds
 * count 1, a composition of k counts k - 1 less, and what counts n <= 0 stands for the next 1 - n characters of the original.
 */
function align(part: string, changed: string, form: UnicodeForm, from: number, origins: Int32Array): void {
  const full = form === 'NFKC' || form === 'NFKD' ? 'NFKD' : 'NFD';
  const starts: number[] = [];
  const pieces: { readonly character: string; readonly added: number }[] = [];
  let at = 0;
  for (const character of part) {
    starts.push(from + at);
    let added = 0;
    for (const piece of character.normalize(full)) {
      pieces.push({ character: piece, added });
      added = 1;
    }
    at += character.length;
  }
  let next = 0;
  let written = 0;
  for (const character of changed) {
    let count = 1;
    for (const piece of character.normalize(full)) {
      const used = pieces.findIndex((each) => each.character === piece);
      count += (used < 0 ? 0 : pieces[used].added) - 1;
      pieces.splice(Math.max(0, used), 1);
    }
    const source = Math.max(0, Math.min(starts.length, count > 0 ? next : next + 1) - 1);
    origins.fill(starts[source], written, written + character.length);
    written += character.length;
    next += count > 0 ? 0 : 1 - count;
  }
}
