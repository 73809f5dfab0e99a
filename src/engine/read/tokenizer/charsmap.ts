import { InputError } from '../../../core/errors';
import { type AlignedText, changeParts } from './aligned';
import { splitsPair } from './characters';

/** Longest replacement in code units, and in bytes of a map: a longer one is no tokenizer's. */
export const longestReplacement = 1000;
/** Graphemes of so many bytes or more are replaced character by character. */
const longGrapheme = 6;
/** Most graphemes whose replacement is remembered; then it starts again. */
const mostRemembered = 50_000;
/** It joins symbols to one grapheme, also with symbols before that are not looked at. */
const joiner = '\u200d';

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });
const utf8 = new TextEncoder();

/**
 * SentencePiece's normalizer, as the Rust library's `Precompiled` reads it (crate `spm_precompiled` 0.1.4): a map from texts to
 * texts. What the map has of the beginning of a grapheme stands for all of it, the shortest first; of graphemes of six bytes and
 * more, and of those that it does not have, each character is looked up for itself.
 */
export class Charsmap {
  /** A double array (darts-clone): in a unit 8 bits of label, 1 that a value follows, 22 of offset; or a value. */
  private readonly units: Uint32Array;
  /** Texts in UTF-8, each ended by a zero byte: values are offsets in it. */
  private readonly texts: Uint8Array;
  private readonly known = new Map<string, string | undefined>();

  /** @param base64 the field `precompiled_charsmap` @throws InputError if it is none */
  constructor(base64: string) {
    const bytes = Buffer.from(base64, 'base64');
    const size = bytes.length < 4 ? 0 : bytes.readUInt32LE(0) & ~3;
    if (size === 0 || 4 + size > bytes.length || bytes.toString('base64') !== base64) {
      throw new InputError('its normalizer Precompiled has a precompiled_charsmap that is broken');
    }
    this.units = Uint32Array.from({ length: size / 4 }, (_, index) => bytes.readUInt32LE(4 + index * 4));
    this.texts = bytes.subarray(4 + size);
    for (let from = 0; from < this.texts.length;) {
      const end = this.endOf(from);
      if (end - from > longestReplacement) {
        throw new InputError('its normalizer Precompiled has a replacement without end');
      }
      from = end + 1;
    }
  }

  /** Replaces what the map has. Every character of a replacement comes from where the grapheme begins. */
  change(text: string, most?: number): AlignedText {
    const changed = changeParts(text, this.parts(text), (part) => this.replacement(part) ?? part, most);
    return changed.text === text ? { text, origins: undefined } : changed;
  }

  /** Whether what comes before an offset has no part in how the text after it is changed. */
  startsAt(text: string, at: number): boolean {
    const before = text.slice(splitsPair(text, at - 1) ? at - 2 : at - 1, at);
    const [{ segment }] = graphemes.segment(before + this.firstGrapheme(text, at));
    return before !== joiner && segment === before;
  }

  /** The grapheme at an offset, or as much of a longer one as is looked at. */
  firstGrapheme(text: string, at: number): string {
    const end = at + longGrapheme;
    const [{ segment }] = graphemes.segment(text.slice(at, splitsPair(text, end) ? end + 1 : end));
    return segment;
  }

  /** What is looked up: graphemes that the map has, else characters. */
  private *parts(text: string): Generator<string> {
    for (let from = 0; from < text.length;) {
      let to = from + 1;
      if (!isApart(text, from)) {
        // As far as there may be graphemes of several characters.
        while (to < text.length && !isApart(text, to)) {
          to += 1;
        }
        for (const { segment } of graphemes.segment(text.slice(from, to))) {
          if (utf8.encode(segment).length < longGrapheme && this.replacement(segment) !== undefined) {
            yield segment;
          } else {
            yield* segment;
          }
        }
      } else {
        yield text[from];
      }
      from = to;
    }
  }

  private replacement(part: string): string | undefined {
    const { known } = this;
    if (!known.has(part)) {
      if (known.size >= mostRemembered) {
        known.clear();
      }
      known.set(part, this.find(utf8.encode(part)));
    }
    return known.get(part);
  }

  /** The text of the shortest key with which bytes begin. */
  private find(bytes: Uint8Array): string | undefined {
    const { units, texts } = this;
    let node = offsetOf(units[0]);
    for (const byte of bytes) {
      node ^= byte;
      // A broken map may point anywhere.
      const unit = node < units.length ? units[node] : 0;
      if (byte === 0 || (unit & 0x800000ff) !== byte) {
        return undefined;
      }
      node ^= offsetOf(unit);
      if ((unit & 0x100) !== 0) {
        const from = node < units.length ? units[node] & 0x7fffffff : texts.length;
        return new TextDecoder().decode(texts.subarray(from, this.endOf(from)));
      }
    }
    return undefined;
  }

  /** Where the text ends that begins at an offset. */
  private endOf(from: number): number {
    const end = this.texts.indexOf(0, from);
    return end < 0 ? this.texts.length : end;
  }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

/** Whether a character is a grapheme of its own for certain: it and its neighbours are ASCII, and it is no part of a line break. */
function isApart(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1);
  const unit = text.charCodeAt(at);
  // Not a number at the ends of the text.
  const after = text.charCodeAt(at + 1);
  return unit < 0x80 && unit !== 0x0d && before !== 0x0d && !(before >= 0x80) && !(after >= 0x80);
}
