/** Classes of characters that pre-tokenizers ask for, as bits. White space is Unicode's `White_Space`, as in the Rust library. */
export const letter = 1;
export const number = 2;
export const space = 4;
/** Carriage return and line feed. */
export const lineBreak = 8;
/** `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`: what may begin a word in the pattern of GPT-4o. */
export const wordHead = 16;
/** `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`: what may follow in it. */
export const wordTail = 32;
/** ASCII punctuation and symbols, and `\p{P}`: what BERT calls punctuation. */
export const punctuation = 64;
/** `\w` of the Rust library. */
export const word = 128;

const classes: readonly (readonly [number, RegExp])[] = [
  [letter, /\p{L}/u],
  [number, /\p{N}/u],
  [space, /\p{White_Space}/u],
  [lineBreak, /[\r\n]/u],
  [wordHead, /[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]/u],
  [wordTail, /[\p{Ll}\p{Lm}\p{Lo}\p{M}]/u],
  [punctuation, /[\p{P}!-/:-@[-`{-~]/u],
  [word, /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u],
];

/** Classes of 256 characters each, filled at first use. */
const pages: (Uint8Array | undefined)[] = Array.from({ length: 0x1100 });

/** The classes of a code point. */
export function classOf(codePoint: number): number {
  return (pages[codePoint >> 8] ?? fillPage(codePoint >> 8))[codePoint & 255];
}

function fillPage(page: number): Uint8Array {
  const filled = Uint8Array.from({ length: 256 }, (_, low) => {
    const character = String.fromCodePoint(page * 256 + low);
    return classes.reduce((bits, [bit, pattern]) => (pattern.test(character) ? bits | bit : bits), 0);
  });
  pages[page] = filled;
  return filled;
}

/** The code point at an offset of well-formed text. `charCodeAt` first, because nearly all text is in the basic plane. */
export function codePoint(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit < 0xdc00 ? (text.codePointAt(at) ?? unit) : unit;
}

/** UTF-16 code units of a code point. */
export function unitsOf(point: number): number {
  return point > 0xffff ? 2 : 1;
}

/** Whether there is white space at an offset. It is in the basic plane: no half of a pair is. */
export function isSpace(text: string, at: number): boolean {
  return (classOf(codePoint(text, at)) & space) !== 0;
}

/** Whether there is a character of a word at an offset, which may be outside of the text. */
export function isWordCharacter(text: string, at: number): boolean {
  return at >= 0 && at < text.length && (classOf(codePoint(text, splitsPair(text, at) ? at - 1 : at)) & word) !== 0;
}

/** Whether an offset lies between the halves of a surrogate pair. */
export function splitsPair(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00 && at > 0 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
}

/** Text with a replacement character for every half of a surrogate pair: what a file in UTF-8 would hold. Lengths stay. */
export function wellFormed(text: string): string {
  return loneHalf.test(text) ? text.replace(loneHalves, '\uFFFD') : text;
}

const loneHalf = /\p{Surrogate}/u;
const loneHalves = /\p{Surrogate}/gu;

/**
 * GPT-2's alphabet for bytes: printable characters of Latin-1 stand for themselves, the other bytes for characters from 256 on.
 * Vocabularies of byte-level tokenizers are written in it.
 */
export const byteCharacters: readonly string[] = (() => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCharCode(printable ? byte : next++);
  });
})();

/** Bytes in the alphabet. */
export function inByteAlphabet(bytes: Uint8Array | readonly number[]): string {
  let text = '';
  for (const byte of bytes) {
    text += byteCharacters[byte];
  }
  return text;
}

/** The token that stands for a byte in SentencePiece's vocabularies, such as `<0x0A>`. */
export function byteTokenOf(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

/** Calls back with the bytes of a code point in UTF-8. */
export function forEachByte(point: number, use: (byte: number) => void): void {
  if (point < 0x80) {
    use(point);
  } else if (point < 0x800) {
    use(0xc0 | (point >> 6));
    use(0x80 | (point & 63));
  } else if (point < 0x10000) {
    use(0xe0 | (point >> 12));
    use(0x80 | ((point >> 6) & 63));
    use(0x80 | (point & 63));
  } else {
    use(0xf0 | (point >> 18));
    use(0x80 | ((point >> 12) & 63));
    use(0x80 | ((point >> 6) & 63));
    use(0x80 | (point & 63));
  }
}
