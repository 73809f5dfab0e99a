import { Tokenizer as RustTokenizer } from 'tokenizers';
import type { TokenIndex } from '../../../src/engine/read/tokenizer/token-index';
import type { Definition } from './definitions';

/** A text as a file in UTF-8 holds it. */
export const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd');

/** Ids, and where the tokens begin. */
export interface Tokens {
  readonly ids: readonly number[];
  readonly starts: readonly number[];
}

export function tokensOf(index: TokenIndex): Tokens {
  return { ids: [...index.ids()], starts: Array.from({ length: index.tokens }, (_, token) => index.offsetOf(token)) };
}

/** A tokenizer of the Rust library. */
export class Reference {
  private readonly tokenizer: RustTokenizer;
  constructor(
    definition: Definition,
    private readonly suffix: number,
  ) {
    this.tokenizer = RustTokenizer.fromString(JSON.stringify(definition));
  }

  /** Tokens with offsets in code units; those of tokens after the text are at its end. */
  async tokensOf(text: string): Promise<Tokens> {
    const encoded = await this.tokenizer.encode(wellFormed(text));
    const units = [0];
    for (const character of text) {
      units.push(units[units.length - 1] + character.length);
    }
    const ids = encoded.getIds();
    const starts = encoded.getOffsets().map(([from], token) => (token >= ids.length - this.suffix ? text.length : units[from]));
    return { ids, starts };
  }
}
