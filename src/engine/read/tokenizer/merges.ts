import { PairTable } from './pair-table';

/** The merges of a byte-pair vocabulary: which neighbours become one token, and which first. */
export interface Merges {
  /** Rank of the merge of two tokens; the lowest goes first. -1 if they do not merge. */
  rank(left: number, right: number): number;
  /** The token that the merge of a rank makes. */
  product(rank: number): number;
}

/** Merges from a list, as in `tokenizer.json`. */
export class ListedMerges implements Merges {
  private readonly ranks: PairTable;

  /** @param triples `[left, right, product]` ids, by rank */
  constructor(private readonly triples: Int32Array) {
    const count = triples.length / 3;
    this.ranks = new PairTable(count);
    for (let rank = 0; rank < count; rank += 1) {
      this.ranks.set(triples[rank * 3], triples[rank * 3 + 1], rank);
    }
  }

  rank(left: number, right: number): number {
    return this.ranks.get(left, right);
  }

  product(rank: number): number {
    return this.triples[rank * 3 + 2];
  }
}

/** Most pairs whose rank is remembered. */
const mostPairs = 2 ** 20;
/** A pair that is known not to merge; a table holds no negative values. */
const never = 2 ** 31 - 1;

/**
 * Merges by vocabulary, as in tiktoken: any two tokens merge if together they are one, which is its own rank.
 *
 * Pairs are looked up as they come, because a list of all would be several times the vocabulary.
 */
export class VocabularyMerges implements Merges {
  private ranks = new PairTable(2 ** 14);

  constructor(
    private readonly ids: ReadonlyMap<string, number>,
    private readonly tokens: readonly string[],
  ) {}

  rank(left: number, right: number): number {
    let rank = this.ranks.get(left, right);
    if (rank < 0) {
      rank = this.ids.get(this.tokens[left] + this.tokens[right]) ?? never;
      if (this.ranks.size >= mostPairs) {
        this.ranks = new PairTable(2 ** 14);
      }
      this.ranks.set(left, right, rank);
    }
    return rank === never ? -1 : rank;
  }

  product(rank: number): number {
    return rank;
  }
}
