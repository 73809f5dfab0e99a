import { InputError } from '../../../core/errors';

/** Text that came from other text. Offsets are UTF-16 code units. */
export interface AlignedText {
  readonly text: string;
  /** Where in the original each code unit comes from; undefined if they are the same. */
  readonly origins: Int32Array | undefined;
}

/**
 * A change of text that keeps track of where its parts come from.
 *
 * @param most code units that it may become; not given: by the length of the text
 * @throws InputError if it becomes longer, before it takes the memory
 */
export type Change = (text: string, most?: number) => AlignedText;

/** Greatest growth of text by all normalizers: the longest decomposition in Unicode has 18 characters. */
const mostGrowth = 32;

/** How long a text may become. */
const mostOf = (text: string): number => text.length * mostGrowth + mostGrowth;

function checkGrowth(length: number, most: number): void {
  if (length > most) {
    throw new InputError(`The tokenizer's normalizer makes text more than ${mostGrowth} times as long; use another text or model.`);
  }
}

/** Changed text in the making. Its places are a typed array: a list of more than 2^27 numbers ends the process. */
export class AlignedBuilder {
  private text = '';
  private origins: Int32Array<ArrayBuffer>;
  private readonly most: number;

  /** @param original what is changed */
  constructor(original: string, most = mostOf(original)) {
    this.origins = new Int32Array(original.length);
    this.most = most;
  }

  /** Adds a part that stays the same. @param from where it was */
  keep(part: string, from: number): void {
    for (let at = this.grow(part), source = from; at < this.text.length; at += 1, source += 1) {
      this.origins[at] = source;
    }
  }

  /** Adds new text that comes from one place. */
  put(part: string, origin: number): void {
    const at = this.grow(part);
    this.origins.fill(origin, at, this.text.length);
  }

  result(): AlignedText {
    return { text: this.text, origins: this.origins.subarray(0, this.text.length) };
  }

  /** @returns where the part begins */
  private grow(part: string): number {
    const { length } = this.text;
    checkGrowth(length + part.length, this.most);
    this.text += part;
    if (this.text.length > this.origins.length) {
      const larger = new Int32Array(Math.min(this.most, Math.max(this.text.length, length * 2)));
      larger.set(this.origins);
      this.origins = larger;
    }
    return length;
  }
}

/** Changes text part by part. Parts that stay the same stay aligned; a changed part begins as a whole where it began. */
export function changeParts(text: string, parts: Iterable<string>, change: (part: string) => string, most?: number): AlignedText {
  const changed = new AlignedBuilder(text, most);
  let from = 0;
  for (const part of parts) {
    const now = change(part);
    if (now === part) {
      changed.keep(part, from);
    } else {
      changed.put(now, from);
    }
    from += part.length;
  }
  return changed.result();
}

/** Applies changes one after another. @throws InputError if text grows as no real tokenizer makes it grow */
export function inSequence(changes: readonly Change[]): Change {
  return (original, most = mostOf(original)) => {
    let text = original;
    let origins: Int32Array | undefined;
    for (const change of changes) {
      const next = change(text, most);
      const before: Int32Array | undefined = origins;
      origins = before === undefined || next.origins === undefined ? (next.origins ?? before) : next.origins.map((at) => before[at]);
      text = next.text;
      checkGrowth(text.length, most);
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
  return (text, most = mostOf(text)) => {
    const changed = text.normalize(form);
    checkGrowth(changed.length, most);
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
