import type { Check, TokenBuffer } from './token-buffer';

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
