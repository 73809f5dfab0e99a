import { documentOffset, type PieceMap, textOffset } from '../../../core/source/pieces';
import type { TokenPlaces } from '../tokenizer/token-places';

/** The places of a prompt's tokens in the document that keeps it. Offsets are UTF-16 code units. */
export class DocumentPlaces {
  /** @param pieces where the text that the model reads comes from; null where it is the whole document */
  constructor(
    private readonly places: TokenPlaces,
    private readonly pieces: PieceMap | null,
  ) {}

  /** N: all tokens. */
  get tokens(): number {
    return this.places.tokens;
  }

  /** Where the text of a token begins; that of `tokens` itself, where the prompt ends. */
  offsetOf(token: number): number {
    return documentOffset(this.pieces, this.places.offsetOf(token));
  }

  /** The token at an offset, or the next one where the model does not read what is there. */
  tokenAt(offset: number): number {
    return this.places.tokenAt(textOffset(this.pieces, offset));
  }

  /** The first token that begins at or after an offset; `tokens` if there is none. */
  firstTokenFrom(offset: number): number {
    return this.places.firstTokenFrom(textOffset(this.pieces, offset));
  }

  /** The tokens `[from, to)` that begin in a range of the document. */
  tokensIn(from: number, to: number): { readonly from: number; readonly to: number } {
    return { from: this.firstTokenFrom(from), to: this.firstTokenFrom(to) };
  }
}
