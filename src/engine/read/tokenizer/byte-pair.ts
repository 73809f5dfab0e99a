import { byteCharacters, byteTokenOf, codePoint, forEachByte, inByteAlphabet, unitsOf } from './characters';
import { type Merges, Symbols } from './merges';
import type { Check, Model, PartEncoder, TokenBuffer } from './model';

/** A byte-pair vocabulary: the Rust library's `BPE` (Sennrich et al. 2016, arXiv:1508.07909), fields named as there. */
export interface BytePairOptions {
  readonly ids: ReadonlyMap<string, number>;
  readonly merges: Merges;
  /** Whether characters are bytes, written in GPT-2's alphabet. */
  readonly bytes: boolean;
  /** A piece that is a token as a whole needs no merges. */
  readonly ignoreMerges: boolean;
  /** Characters that are no token become one token a byte, where there are such. */
  readonly byteFallback: boolean;
  /** The token of what is no token; undefined: that is left out. */
  readonly unknown: number | undefined;
  /** Neighbours that are no tokens become one unknown token. */
  readonly fuseUnknown: boolean;
  readonly continuingPrefix: string;
  readonly wordSuffix: string;
}

/** A symbol that is to be left out. */
const none = -1;

/**
 * Encodes pieces by merging their characters or bytes.
 *
 * Parts: merges go by rank and from left to right, so between two boundaries that none crosses they are those of the text between
 * by itself; hence runs of valid sequences are valid. Of a sequence whose overlapping runs are valid, suppose that a merge crosses a
 * boundary, and take the first that does. Until then each run has merged as by itself, so the one that holds this boundary in its
 * inside would have crossed it as well. This asks nothing of the vocabulary, but that the symbols of a text are those of its
 * parts. (The idea is that of the crate `bpe` in github/rust-gems, MIT, which asks it of each two neighbours.)
 */
export class BytePairModel implements Model {
  private readonly symbols = new Symbols();
  /** Ids of bytes: as characters of the alphabet, or of their own tokens such as `<0x0A>`. */
  private readonly byteIds: Int32Array;
  /** Whether every byte has a token. */
  readonly hasAllBytes: boolean;
  readonly parts: PartEncoder | undefined;
  /** Code units of the longest token. */
  private readonly longestToken: number;
  private readonly byCharacter = new Map<number, number>();

  constructor(private readonly options: BytePairOptions) {
    const { ids, bytes } = options;
    const nameOf = (byte: number): string => (bytes ? byteCharacters[byte] : byteTokenOf(byte));
    this.byteIds = Int32Array.from({ length: 256 }, (_, byte) => ids.get(nameOf(byte)) ?? none);
    this.hasAllBytes = !this.byteIds.includes(none);
    this.longestToken = [...ids.keys()].reduce((longest, { length }) => Math.max(longest, length), 0);
    this.parts = this.partEncoder();
  }

  encode(piece: string, out: TokenBuffer, check: Check): void {
    const { options } = this;
    if (options.ignoreMerges && piece.length <= this.longestToken) {
      const known = options.ids.get(options.bytes ? inByteAlphabet(new TextEncoder().encode(piece)) : piece);
      if (known !== undefined) {
        out.push(known, 0);
        return;
      }
    }
    this.encodeByMerges(piece, out, check);
  }

  private encodeByMerges(piece: string, out: TokenBuffer, check: Check): void {
    const { options, symbols } = this;
    symbols.length = 0;
    if (options.bytes && this.hasAllBytes && options.continuingPrefix === '' && options.wordSuffix === '') {
      this.readBytes(piece);
    } else if (options.bytes) {
      this.readCharacters(inAlphabet(piece));
    } else {
      this.readCharacters([piece, undefined]);
    }
    symbols.merge(options.merges, check);
    for (let index = 0; index < symbols.length; index += 1) {
      out.push(symbols.ids[index], symbols.starts[index]);
    }
  }

  /** Undefined where the symbols of a character depend on what is beside it. */
  private partEncoder(): PartEncoder | undefined {
    const { ids, bytes, ignoreMerges, fuseUnknown, unknown, byteFallback, continuingPrefix, wordSuffix } = this.options;
    const fuses = fuseUnknown && unknown !== undefined && !(byteFallback && this.hasAllBytes);
    if (fuses || continuingPrefix !== '' || wordSuffix !== '') {
      return undefined;
    }
    let within: Set<number> | undefined;
    const beginsWithin = new Set(Array.from({ length: 64 }, (_, low) => (bytes ? byteCharacters[0x80 + low] : byteTokenOf(0x80 + low))));
    const beginningWithin = (): Set<number> =>
      new Set([...ids].filter(([token]) => beginsWithin.has(bytes ? token.charAt(0) : token.slice(0, 6))).map(([, id]) => id));
    return {
      longestWhole: ignoreMerges ? this.longestToken : 0,
      encode: (part, out, check) => {
        this.encodeByMerges(part, out, check);
      },
      beginsCharacter: (id) => !(within ??= beginningWithin()).has(id),
    };
  }

  private readBytes(piece: string): void {
    const { symbols, byteIds } = this;
    for (let at = 0; at < piece.length;) {
      const point = codePoint(piece, at);
      if (point < 0x80) {
        symbols.push(byteIds[point], at);
      } else {
        const start = at;
        forEachByte(point, (byte) => symbols.push(byteIds[byte], start));
      }
      at += unitsOf(point);
    }
  }

  private readCharacters([text, origins]: readonly [text: string, origins: Int32Array | undefined]): void {
    const { symbols, byteIds, options } = this;
    let unknownBefore = false;
    for (let at = 0; at < text.length;) {
      const point = codePoint(text, at);
      const start = origins === undefined ? at : origins[at];
      const next = at + unitsOf(point);
      const id = this.idOf(point, at === 0, next === text.length);
      const isUnknown = id === none && !(options.byteFallback && this.fallsBack(point));
      if (id !== none) {
        symbols.push(id, start);
      } else if (!isUnknown) {
        forEachByte(point, (byte) => symbols.push(byteIds[byte], start));
      } else if (options.unknown !== undefined && !(options.fuseUnknown && unknownBefore)) {
        symbols.push(options.unknown, start);
      }
      unknownBefore = isUnknown;
      at = next;
    }
  }

  /** The token of a character, with what its place adds to it. */
  private idOf(point: number, isFirst: boolean, isLast: boolean): number {
    const { ids, continuingPrefix, wordSuffix } = this.options;
    const prefix = isFirst ? '' : continuingPrefix;
    const suffix = isLast ? wordSuffix : '';
    if (prefix !== '' || suffix !== '') {
      return ids.get(prefix + String.fromCodePoint(point) + suffix) ?? none;
    }
    let id = this.byCharacter.get(point);
    if (id === undefined) {
      id = ids.get(String.fromCodePoint(point)) ?? none;
      this.byCharacter.set(point, id);
    }
    return id;
  }

  private fallsBack(point: number): boolean {
    let all = true;
    forEachByte(point, (byte) => (all &&= this.byteIds[byte] !== none));
    return all;
  }
}

/** A piece in the alphabet of bytes, with the offset that each byte's character has in the piece. */
function inAlphabet(piece: string): readonly [string, Int32Array] {
  let text = '';
  // A character has at most three bytes a code unit.
  const origins = new Int32Array(piece.length * 3);
  for (let at = 0; at < piece.length;) {
    const point = codePoint(piece, at);
    const start = at;
    forEachByte(point, (byte) => {
      origins[text.length] = start;
      text += byteCharacters[byte];
    });
    at += unitsOf(point);
  }
  return [text, origins];
}
