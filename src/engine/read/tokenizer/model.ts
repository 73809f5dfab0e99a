/** A tokenizer's model: turns one piece of text at a time into tokens, each piece for itself. */
export interface Model {
  /**
   * Adds the tokens of a piece.
   *
   * @param piece well-formed, not empty
   * @param out takes ids, and the offsets in the piece where the tokens begin; a token that begins within a character begins
   * where the character does
   */
  encode(piece: string, out: TokenBuffer, check: Check): void;
  /** How it encodes a piece in parts; not given: it must have all of it. */
  readonly parts?: PartEncoder | undefined;
}

/**
 * Encodes parts of a piece, as models can in which the tokens of a text depend on it alone.
 *
 * A sequence of tokens is called valid if it is what `encode` makes of its text. Two things must hold: any run of a valid sequence
 * is valid; and where one valid sequence ends with the token with which another begins, both together, with that token once, are
 * valid.
 */
export interface PartEncoder {
  /** Only longer pieces may be encoded in parts: shorter ones can be tokens as a whole. In code units. */
  readonly longestWhole: number;
  /** Adds the tokens of a part. @param part well-formed, not empty */
  encode(part: string, out: TokenBuffer, check: Check): void;
  /** Whether a token begins with a character, not within one. */
  beginsCharacter(id: number): boolean;
}

/** Longest piece whose tokens are remembered, in code units. */
const longestRemembered = 40;
/** Most pieces that are remembered; then it starts again. */
const mostRemembered = 50_000;

interface Remembered {
  readonly ids: Int32Array;
  readonly starts: Int32Array;
}

/** Remembers the tokens of short pieces: text repeats its words. */
export class RememberingModel implements Model {
  private readonly known = new Map<string, Remembered>();

  constructor(private readonly model: Model) {}

  get parts(): PartEncoder | undefined {
    return this.model.parts;
  }

  encode(piece: string, out: TokenBuffer, check: Check): void {
    if (piece.length > longestRemembered) {
      this.model.encode(piece, out, check);
      return;
    }
    const { known } = this;
    const remembered = known.get(piece);
    if (remembered !== undefined) {
      const { ids, starts } = remembered;
      for (let index = 0; index < ids.length; index += 1) {
        out.push(ids[index], starts[index]);
      }
      return;
    }
    const first = out.length;
    this.model.encode(piece, out, check);
    if (known.size >= mostRemembered) {
      known.clear();
    }
    known.set(piece, { ids: out.ids.slice(first, out.length), starts: out.starts.slice(first, out.length) });
  }
}

/** Tokens in the making: ids and where they begin, in typed arrays that grow. */
export class TokenBuffer {
  ids = new Int32Array(1024);
  /** Offsets in UTF-16 code units. */
  starts = new Int32Array(1024);
  length = 0;

  push(id: number, start: number): void {
    if (this.length === this.ids.length) {
      this.ids = grown(this.ids);
      this.starts = grown(this.starts);
    }
    this.ids[this.length] = id;
    this.starts[this.length] = start;
    this.length += 1;
  }
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** Called every few thousand steps of long work, so that its caller can stop it: what it throws ends the work. */
export type Check = () => void;
