import { classOf, codePoint, unitsOf } from './characters';

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

/** The whole text is one piece. */
export class WholeScanner implements Scanner {
  from = 0;
  to = 0;
  reach = Infinity;
  readonly memoryless = true;
  readonly restarts = false;

  next(_text: string, at: number, end: number, last: boolean): boolean {
    this.from = at;
    this.to = end;
    return last;
  }
}

/** Cuts the pieces of one scanner with another: a sequence of pre-tokenizers. */
export class NestedScanner implements Scanner {
  from = 0;
  to = 0;
  reach = 0;
  restarts = false;
  readonly memoryless = false;
  /** The text and the end of the outer piece whose inner pieces are being read. */
  private text = '';
  private outerEnd = -1;

  constructor(
    private readonly outer: Scanner,
    private readonly inner: Scanner,
  ) {}

  next(text: string, at: number, end: number, last: boolean): boolean {
    const { outer, inner } = this;
    if (at >= this.outerEnd || text !== this.text) {
      if (!outer.next(text, at, end, last)) {
        return false;
      }
      this.text = text;
      this.outerEnd = outer.to;
    }
    const start = Math.max(at, outer.from);
    if (start < outer.to) {
      inner.next(text, start, outer.to, true);
    }
    [this.from, this.to] = start < outer.to ? [inner.from, inner.to] : [outer.to, outer.to];
    if (this.to >= outer.to) {
      this.outerEnd = -1;
      this.restarts = outer.restarts;
    } else {
      this.restarts = outer.restarts && outer.memoryless && inner.restarts;
    }
    this.reach = outer.memoryless ? Math.min(outer.reach, Math.max(inner.reach, this.to) + 2) : outer.reach;
    return true;
  }
}
