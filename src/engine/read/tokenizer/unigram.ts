import { byteTokenOf, forEachByte } from './byte-alphabet';
import { codePoint, unitsOf } from './characters';
import type { Model } from './model';
import type { Check, TokenBuffer } from './token-buffer';
import { Trie } from './word-models';

/** What the score of an unknown character lies below the lowest of the vocabulary (SentencePiece). */
const unknownPenalty = 10;
const checkEvery = 2 ** 14;

/** The Rust library's `Unigram` (Kudo 2018, arXiv:1804.10959): the tokens whose probabilities have the greatest product. */
export class UnigramModel implements Model {
  private readonly trie: Trie;
  private readonly scores: Float64Array;
  private readonly unknownScore: number;
  private readonly byteIds: Int32Array | undefined;
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
    const ends: number[] = [];
    for (let end = piece.length; end > 0; end = this.from[end]) {
      ends.push(end);
    }
    let start = 0;
    let unknownFrom = -1;
    for (let index = ends.length - 1; index >= 0; index -= 1) {
      const end = ends[index];
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
            id[at + 1] = token;
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
    if (byteIds !== undefined && !byteIds.includes(-1)) {
      for (let at = from; at < to; at += unitsOf(codePoint(piece, at))) {
        const start = at;
        forEachByte(codePoint(piece, at), (byte) => out.push(byteIds[byte], start));
      }
    } else if (this.unknown !== undefined) {
      out.push(this.unknown, from);
    }
  }
}
