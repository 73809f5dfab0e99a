import { byteTokenOf, codePoint, forEachByte, unitsOf } from './characters';
import type { Check, Model, TokenBuffer } from './model';
import { Trie } from './pair-table';

/** The Rust library's `WordLevel`: a piece is a token, or unknown. */
export class WordLevelModel implements Model {
  constructor(
    private readonly ids: ReadonlyMap<string, number>,
    private readonly unknown: number | undefined,
  ) {}

  encode(piece: string, out: TokenBuffer): void {
    const id = this.ids.get(piece) ?? this.unknown;
    if (id !== undefined) {
      out.push(id, 0);
    }
  }
}

/** The Rust library's `WordPiece` (Wu et al. 2016, arXiv:1609.08144): the longest token that fits, again and again. */
export class WordPieceModel implements Model {
  private readonly first: Trie;
  private readonly continuing: Trie;

  constructor(
    ids: ReadonlyMap<string, number>,
    private readonly unknown: number | undefined,
    continuingPrefix: string,
    private readonly longestWord: number,
  ) {
    this.first = new Trie([...ids]);
    this.continuing = new Trie(
      [...ids].filter(([token]) => token.startsWith(continuingPrefix)).map(([token, id]) => [token.slice(continuingPrefix.length), id]),
    );
  }

  encode(piece: string, out: TokenBuffer): void {
    const before = out.length;
    // Longer than that in code units is longer in characters, if not one more.
    let fits = piece.length <= this.longestWord || (piece.length <= this.longestWord * 2 && charactersOf(piece) <= this.longestWord);
    for (let from = 0; fits && from < piece.length;) {
      let node = 0;
      let id = -1;
      let to = from;
      const trie = from === 0 ? this.first : this.continuing;
      for (let at = from; at < piece.length && node >= 0;) {
        const point = codePoint(piece, at);
        for (const end = at + unitsOf(point); at < end && node >= 0; at += 1) {
          node = trie.child(node, piece.charCodeAt(at));
        }
        if (node >= 0 && trie.idAt(node) >= 0) {
          id = trie.idAt(node);
          to = at;
        }
      }
      fits = id >= 0;
      if (fits) {
        out.push(id, from);
        from = to;
      }
    }
    if (!fits) {
      out.length = before;
      if (this.unknown !== undefined) {
        out.push(this.unknown, 0);
      }
    }
  }
}

function charactersOf(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += unitsOf(codePoint(text, at))) {
    count += 1;
  }
  return count;
}

/** What the score of an unknown character lies below the lowest of the vocabulary (SentencePiece). */
const unknownPenalty = 10;
const checkEvery = 2 ** 14;

/** The Rust library's `Unigram` (Kudo 2018, arXiv:1804.10959): the tokens whose probabilities have the greatest product. */
export class UnigramModel implements Model {
  private readonly trie: Trie;
  private readonly scores: Float64Array;
  private readonly unknownScore: number;
  private readonly byteIds: Int32Array | undefined;
  private readonly unknownText: string | undefined;
  private best = new Float64Array(0);
  private from = new Int32Array(0);
  private id = new Int32Array(0);

  /**
   * @param pieces tokens with their log-probabilities, by id
   * @param unknown the token of characters that no piece has
   * @param byteFallback whether unknown characters become one token a byte, where there are such
   */
  constructor(
    pieces: readonly (readonly [text: string, score: number])[],
    private readonly unknown: number | undefined,
    byteFallback: boolean,
  ) {
    this.trie = new Trie(pieces.map(([text], id) => [text, id]));
    this.unknownText = unknown === undefined ? undefined : pieces[unknown]?.[0];
    this.scores = Float64Array.from(pieces, ([, score]) => score);
    this.unknownScore = this.scores.reduce((least, score) => Math.min(least, score), Infinity) - unknownPenalty;
    if (byteFallback) {
      const ids = new Map(pieces.map(([text], id) => [text, id]));
      const bytes = Array.from({ length: 256 }, (_, byte) => ids.get(byteTokenOf(byte)) ?? -1);
      this.byteIds = Int32Array.from(bytes);
    }
  }

  encode(piece: string, out: TokenBuffer, check: Check): void {
    this.findBest(piece, check);
    // Back from the end, then turned round.
    let count = 0;
    for (let end = piece.length; end > 0; end = this.from[end]) {
      count += 1;
    }
    const ends = new Int32Array(count);
    for (let end = piece.length; end > 0; end = this.from[end]) {
      count -= 1;
      ends[count] = end;
    }
    let start = 0;
    let unknownFrom = -1;
    for (const end of ends) {
      if (this.id[end] < 0) {
        unknownFrom = unknownFrom < 0 ? start : unknownFrom;
      } else {
        this.pushUnknown(piece, unknownFrom, start, out);
        unknownFrom = -1;
        out.push(this.id[end], start);
      }
      start = end;
    }
    this.pushUnknown(piece, unknownFrom, start, out);
  }

  /** Viterbi's algorithm: for every offset, the best token that ends there. Time: length by the longest token. */
  private findBest(piece: string, check: Check): void {
    const { trie, scores } = this;
    if (this.best.length <= piece.length) {
      const size = Math.max(256, piece.length * 2);
      this.best = new Float64Array(size);
      this.from = new Int32Array(size);
      this.id = new Int32Array(size);
    }
    const { best, from, id } = this;
    best.fill(-Infinity, 0, piece.length + 1);
    best[0] = 0;
    let steps = 0;
    for (let start = 0; start < piece.length;) {
      const after = start + unitsOf(codePoint(piece, start));
      let hasSingle = false;
      let node = 0;
      for (let at = start; at < piece.length; at += 1) {
        node = trie.child(node, piece.charCodeAt(at));
        if (node < 0) {
          break;
        }
        const token = trie.idAt(node);
        if (token >= 0) {
          const score = best[start] + scores[token];
          if (score > best[at + 1]) {
            best[at + 1] = score;
            from[at + 1] = start;
            // As in the Rust library, a text that is the unknown token's own is unknown.
            id[at + 1] = token === this.unknown ? -1 : token;
          }
          hasSingle ||= at + 1 === after;
        }
      }
      if (!hasSingle && best[start] + this.unknownScore > best[after]) {
        best[after] = best[start] + this.unknownScore;
        from[after] = start;
        id[after] = -1;
      }
      steps += 1;
      if (steps % checkEvery === 0) {
        check();
      }
      start = after;
    }
  }

  /** Neighbouring unknown characters are one token, or their bytes. @param from negative if there are none */
  private pushUnknown(piece: string, from: number, to: number, out: TokenBuffer): void {
    if (from < 0) {
      return;
    }
    const { byteIds } = this;
    if (byteIds !== undefined && !byteIds.includes(-1) && piece.slice(from, to) !== this.unknownText) {
      for (let at = from; at < to; at += unitsOf(codePoint(piece, at))) {
        const start = at;
        forEachByte(codePoint(piece, at), (byte) => out.push(byteIds[byte], start));
      }
    } else if (this.unknown !== undefined) {
      out.push(this.unknown, from);
    }
  }
}
