import { classOf, codePoint, number, punctuation, space, unitsOf, word } from './characters';
import { PairTable } from './pair-table';

/**
 * Cuts text into the pieces that a model encodes one by one (pre-tokens), from left to right.
 *
 * The text is well-formed, and offsets are UTF-16 code units of it. What a scanner finds depends on nothing before the
 * position that it starts from, if that is the end of one of its pieces.
 */
export interface Scanner {
  /** The piece that `next` found, `[from, to)`. It is empty where only removed text was left. */
  readonly from: number;
  readonly to: number;
  /** One past the last code unit that decided where the piece ends; past the end of the text where the end itself did. */
  readonly reach: number;
  /** Whether, from any position within a piece, it finds the same end as from the start. */
  readonly memoryless: boolean;
  /** Whether it can start again at the end of the piece as if the text began there. */
  readonly restarts: boolean;
  /**
   * Finds the piece at an offset.
   *
   * @param end where the known text ends
   * @param last whether it goes on there no further
   * @returns false if the piece depends on text beyond `end`
   */
  next(text: string, at: number, end: number, last: boolean): boolean;
  /**
   * How far a piece goes that was found to go on beyond `end`, or that can be read from this offset on: up to `end` if that is
   * certain whatever follows and if, from any offset in it but the last, the same end is found; else less far. What `next` found
   * stays.
   */
  sure(text: string, from: number, end: number): number;
}

/** A scanner of single characters' classes: the base of all that read no further than they must. */
export abstract class ClassScanner implements Scanner {
  from = 0;
  to = 0;
  reach = 0;
  readonly restarts = true;
  abstract readonly memoryless: boolean;

  /** Sets `from`, `to` and `reach`. @param at below `end` */
  protected abstract scan(text: string, at: number, end: number): void;

  next(text: string, at: number, end: number, last: boolean): boolean {
    this.from = at;
    this.reach = at;
    this.scan(text, at, end);
    return last || this.reach <= end;
  }

  sure(text: string, from: number, end: number): number {
    if (!this.memoryless) {
      return from;
    }
    const { from: foundFrom, to, reach } = this;
    this.from = from;
    this.scan(text, from, end);
    // Text that is removed is no part of a piece.
    const sure = this.from === from ? this.to : from;
    [this.from, this.to, this.reach] = [foundFrom, to, reach];
    return sure;
  }

  /** The end of a run of characters with any of the classes. */
  protected run(text: string, at: number, end: number, wanted: number): number {
    let to = at;
    while (to < end) {
      const point = codePoint(text, to);
      if ((classOf(point) & wanted) === 0) {
        break;
      }
      to += unitsOf(point);
    }
    this.looked(to);
    return to;
  }

  /** The end of a run of characters with none of the classes. */
  protected runWithout(text: string, at: number, end: number, unwanted: number): number {
    let to = at;
    while (to < end) {
      const point = codePoint(text, to);
      if ((classOf(point) & unwanted) !== 0) {
        break;
      }
      to += unitsOf(point);
    }
    this.looked(to);
    return to;
  }

  /** Notes that the character at an offset decided something. */
  protected looked(at: number): void {
    if (at >= this.reach) {
      this.reach = at + 1;
    }
  }

  /** The classes of the character at an offset; none at the end. */
  protected classAt(text: string, at: number, end: number): number {
    this.looked(at);
    return at < end ? classOf(codePoint(text, at)) : 0;
  }
}

/** Most code units that are removed at once, so that an edit of a long run of white space reads a part of it only. */
const longestRemoved = 1024;

/** Cuts wherever the kind of the characters changes; may remove one kind, and may isolate each character of another. */
class RunScanner extends ClassScanner {
  readonly memoryless = true;

  /**
   * @param removed classes of characters that belong to no piece
   * @param single classes of characters that are pieces of their own
   * @param kinds classes whose runs are pieces; so are the runs of everything else
   */
  constructor(
    private readonly removed: number,
    private readonly single: number,
    private readonly kinds: readonly number[],
  ) {
    super();
  }

  protected scan(text: string, at: number, end: number): void {
    const { removed, single, kinds } = this;
    const mostRemoved = Math.min(end, at + longestRemoved);
    this.from = removed === 0 ? at : this.run(text, at, mostRemoved, removed);
    if (this.from === mostRemoved) {
      this.to = this.from;
      return;
    }
    const kind = this.classAt(text, this.from, end);
    if ((kind & single) !== 0) {
      this.to = this.from + unitsOf(codePoint(text, this.from));
      return;
    }
    const own = kinds.find((each) => (kind & each) !== 0);
    let others = removed | single;
    for (const each of kinds) {
      others |= each;
    }
    this.to = own === undefined ? this.runWithout(text, this.from, end, others) : this.run(text, this.from, end, own);
  }
}

/** BERT: at white space, which is removed, and around every punctuation character. */
export const bertScanner = (): Scanner => new RunScanner(space, punctuation, []);
/** `\w+|[^\w\s]+` */
export const whitespaceScanner = (): Scanner => new RunScanner(space, 0, [word]);
/** At white space, which is removed. */
export const whitespaceSplitScanner = (): Scanner => new RunScanner(space, 0, []);
/** Around every punctuation character, or around runs of them. */
export const punctuationScanner = (isolated: boolean): Scanner => new RunScanner(0, isolated ? punctuation : 0, [punctuation]);
/** Around every digit, or around runs of them. */
export const digitsScanner = (isolated: boolean): Scanner => new RunScanner(0, isolated ? number : 0, [number]);

/** Before every space or mark that stands for one (`Metaspace`). */
export class MetaspaceScanner extends ClassScanner {
  readonly memoryless = true;

  /** @param mark a code unit */
  constructor(private readonly mark: number) {
    super();
  }

  protected scan(text: string, at: number, end: number): void {
    let to = at + unitsOf(codePoint(text, at));
    while (to < end && text.charCodeAt(to) !== this.mark && text.charCodeAt(to) !== 0x20) {
      to += 1;
    }
    this.looked(to);
    this.to = to;
  }
}

/** Every so many characters. */
export class FixedLengthScanner extends ClassScanner {
  readonly memoryless = false;

  /** @param length of a piece in characters, at least 1 */
  constructor(private readonly length: number) {
    super();
  }

  protected scan(text: string, at: number, end: number): void {
    let to = at;
    for (let count = 0; count < this.length && to < end; count += 1) {
      to += unitsOf(codePoint(text, to));
    }
    this.looked(to - 1);
    // At the end of the known text a piece may be too short.
    if (to === end) {
      this.looked(end);
    }
    this.to = to;
  }
}

/** Which characters are neighbours in any of these tokens, as a question about two code points. */
export function neighboursIn(tokens: Iterable<string>): (before: number, after: number) => boolean {
  const pairs = new PairTable(2 ** 14);
  for (const token of tokens) {
    let before = codePoint(token, 0);
    for (let at = unitsOf(before); at < token.length;) {
      const after = codePoint(token, at);
      pairs.set(before, after, 1);
      before = after;
      at += unitsOf(after);
    }
  }
  return (before, after) => pairs.get(before, after) === 1;
}

/**
 * Cuts where no merge of a byte-pair vocabulary can cross: between two characters that are neighbours in none of its tokens.
 *
 * Merges join neighbours to tokens, so the pieces have exactly the tokens that they have within the whole. For vocabularies
 * without a pre-tokenizer (Llama 2, Gemma 3), whose words would be whole documents.
 */
export class UncrossedScanner extends ClassScanner {
  readonly memoryless = true;

  /**
   * @param joins whether two code points are neighbours in a token
   * @param blank the code point that stands for a space
   */
  constructor(
    private readonly joins: (before: number, after: number) => boolean,
    private readonly blank: number,
  ) {
    super();
  }

  protected scan(text: string, at: number, end: number): void {
    let before = this.pointAt(text, at);
    let to = at + unitsOf(before);
    while (to < end) {
      const after = this.pointAt(text, to);
      if (!this.joins(before, after)) {
        break;
      }
      to += unitsOf(after);
      before = after;
    }
    this.looked(to);
    this.to = to;
  }

  private pointAt(text: string, at: number): number {
    const point = codePoint(text, at);
    return point === 0x20 ? this.blank : point;
  }
}
