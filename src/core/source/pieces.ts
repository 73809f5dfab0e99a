import { lastAtMost } from '../math/search';
import type { TextRange } from '../text/edits';

/**
 * Where a text comes from: runs that cover it whole, in order, each with the part of the document that it stands for. What
 * lies between those parts is not in the text. Offsets are UTF-16 code units. Plain data, which crosses to other threads.
 */
export interface PieceMap {
  /** Where runs begin in the text, ascending. */
  readonly text: Int32Array;
  /** Where they begin in the document, ascending; several may begin at one place. */
  readonly from: Int32Array;
  /** Where they end in the document. */
  readonly to: Int32Array;
  /**
   * 1 where a run stands for its part as a whole, such as a variable's value, or was inserted (`from` = `to`); 0 where its
   * code units are those of the document, but for an escape that its last one may be written as.
   */
  readonly whole: Uint8Array;
  readonly textLength: number;
}

/** A text with its places in a document; `pieces` is null where it is the whole document as it is. */
export interface MappedText {
  readonly text: string;
  readonly pieces: PieceMap | null;
}

/** Where in the document the code unit at an offset of the text comes from; the end of the text, where its last run ends. */
export function documentOffset(pieces: PieceMap | null, offset: number): number {
  if (pieces === null || pieces.text.length === 0) {
    return pieces === null ? offset : 0;
  }
  if (offset >= pieces.textLength) {
    return pieces.to[pieces.to.length - 1];
  }
  const run = lastAtMost(pieces.text, pieces.text.length, offset);
  return pieces.whole[run] === 1 ? pieces.from[run] : pieces.from[run] + offset - pieces.text[run];
}

/** The part of the document that `[from, to)` of the text comes from; for an empty range, its place. */
export function documentRange(pieces: PieceMap | null, from: number, to: number): TextRange {
  const start = documentOffset(pieces, from);
  if (pieces === null || to <= from || pieces.text.length === 0) {
    return { from: start, to: pieces === null ? Math.max(start, to) : start };
  }
  const run = lastAtMost(pieces.text, pieces.text.length, to - 1);
  const end = run + 1 < pieces.text.length ? pieces.text[run + 1] : pieces.textLength;
  const isToEnd = to >= end || pieces.whole[run] === 1;
  return { from: start, to: isToEnd ? pieces.to[run] : pieces.from[run] + to - pieces.text[run] };
}

/**
 * Where in the text a place of the document is: before what is inserted there. A place that is not in the text is where the
 * text goes on after it.
 */
export function textOffset(pieces: PieceMap | null, offset: number): number {
  if (pieces === null || pieces.text.length === 0) {
    return pieces === null ? offset : 0;
  }
  const { text, from, to, whole, textLength } = pieces;
  // Offsets are whole numbers: the run after those that begin before this place.
  const before = from[0] < offset ? lastAtMost(from, from.length, offset - 1) : -1;
  if (before + 1 < from.length && from[before + 1] === offset) {
    return text[before + 1];
  }
  if (before < 0) {
    return 0;
  }
  const end = before + 1 < text.length ? text[before + 1] : textLength;
  if (offset >= to[before]) {
    return end;
  }
  return whole[before] === 1 ? text[before] : Math.min(text[before] + offset - from[before], end - 1);
}

/**
 * Writes a text piece by piece, in linear time, and notes where each piece comes from.
 *
 * The map ascends whatever is written: a piece from before the one written last, as of a notebook whose outputs stand before
 * their cell's source, stands for the end of all that came before it.
 */
export class PieceWriter {
  private readonly parts: string[] = [];
  private size = 0;
  private runs = 0;
  private room = 16;
  private text = new Int32Array(this.room);
  private from = new Int32Array(this.room);
  private to = new Int32Array(this.room);
  private whole = new Uint8Array(this.room);
  /** Whether the last run can go on: its code units are those of the document so far. */
  private isOpen = false;
  /** The last place of the document that any piece stands for. */
  private reached = 0;

  /** Length of the text so far. */
  get length(): number {
    return this.size;
  }

  /** Adds `[from, to)` of the document as it is. */
  copy(document: string, from: number, to: number): void {
    if (to > from) {
      this.add(document.slice(from, to), from, to, 0, true);
    }
  }

  /** Adds one code unit that `[from, to)` of the document is an escape for. */
  escape(unit: string, from: number, to: number): void {
    this.add(unit, from, to, 0, false);
  }

  /** Adds text that stands for `[from, to)` of the document as a whole; inserted text where the two are equal. */
  replace(text: string, from: number, to: number): void {
    if (text !== '') {
      this.add(text, from, to, 1, false);
    }
  }

  /** Adds `[from, to)` of a text of the same document. */
  append({ text, pieces }: MappedText, from = 0, to = text.length): void {
    if (pieces === null) {
      this.copy(text, from, to);
      return;
    }
    if (to <= from) {
      return;
    }
    for (let run = lastAtMost(pieces.text, pieces.text.length, from); run < pieces.text.length && pieces.text[run] < to; run += 1) {
      const end = run + 1 < pieces.text.length ? pieces.text[run + 1] : pieces.textLength;
      const [start, stop] = [Math.max(from, pieces.text[run]), Math.min(to, end)];
      const isWhole = pieces.whole[run] === 1;
      const shift = pieces.from[run] - pieces.text[run];
      const documentEnd = isWhole || stop === end ? pieces.to[run] : stop + shift;
      const canGoOn = !isWhole && documentEnd === stop + shift;
      this.add(text.slice(start, stop), isWhole ? pieces.from[run] : start + shift, documentEnd, isWhole ? 1 : 0, canGoOn);
    }
  }

  /** The text with its places. */
  finish(): MappedText {
    const { runs } = this;
    const pieces = {
      text: this.text.slice(0, runs),
      from: this.from.slice(0, runs),
      to: this.to.slice(0, runs),
      whole: this.whole.slice(0, runs),
      textLength: this.size,
    };
    return { text: this.parts.join(''), pieces };
  }

  private add(text: string, from: number, to: number, whole: 0 | 1, canGoOn: boolean): void {
    const last = this.runs - 1;
    // Several values may stand for one part.
    if (from < this.reached && !(this.whole[last] === 1 && this.from[last] === from)) {
      this.add(text, this.reached, this.reached, 1, false);
      return;
    }
    this.parts.push(text);
    this.reached = Math.max(this.reached, to);
    if (this.isOpen && whole === 0 && this.to[last] === from) {
      this.to[last] = to;
    } else {
      this.grow();
      this.text[this.runs] = this.size;
      this.from[this.runs] = from;
      this.to[this.runs] = to;
      this.whole[this.runs] = whole;
      this.runs += 1;
    }
    this.size += text.length;
    this.isOpen = canGoOn;
  }

  private grow(): void {
    if (this.runs < this.room) {
      return;
    }
    this.room *= 2;
    const wider = (values: Int32Array): Int32Array<ArrayBuffer> => {
      const result = new Int32Array(this.room);
      result.set(values);
      return result;
    };
    [this.text, this.from, this.to] = [wider(this.text), wider(this.from), wider(this.to)];
    const whole = new Uint8Array(this.room);
    whole.set(this.whole);
    this.whole = whole;
  }
}
