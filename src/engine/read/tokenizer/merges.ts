import { type Check, TokenBuffer } from './model';
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

/** Symbols up to which the next merge is looked for one by one: cheaper than a queue. */
const fewSymbols = 40;
/** Positions in a queued merge: more than a prompt has. */
const positions = 2 ** 27;
/** Merges between two checks. */
const checkEvery = 2 ** 14;

/** The symbols of one piece while neighbours merge: ids, where they begin, and a list that links those left. */
export class Symbols extends TokenBuffer {
  /** Neighbours, -1 at the ends; -2 as the next one marks a symbol that was merged into the one before. */
  private next = new Int32Array(0);
  private previous = new Int32Array(0);
  private readonly queue = new NumberHeap();

  /** Merges neighbours, lowest rank first, leftmost first among equals, until none merge. Time: n log n. */
  merge(merges: Merges, check: Check): void {
    if (this.length <= fewSymbols) {
      this.mergeFew(merges);
    } else {
      this.mergeMany(merges, check);
    }
  }

  private mergeFew(merges: Merges): void {
    const { ids, starts } = this;
    const ranks = fewRanks;
    for (let at = 0; at + 1 < this.length; at += 1) {
      ranks[at] = merges.rank(ids[at], ids[at + 1]);
    }
    while (this.length > 1) {
      let best = -1;
      for (let at = 0; at + 1 < this.length; at += 1) {
        if (ranks[at] >= 0 && (best < 0 || ranks[at] < ranks[best])) {
          best = at;
        }
      }
      if (best < 0) {
        return;
      }
      ids[best] = merges.product(ranks[best]);
      ids.copyWithin(best + 1, best + 2, this.length);
      starts.copyWithin(best + 1, best + 2, this.length);
      ranks.copyWithin(best + 1, best + 2, this.length - 1);
      this.length -= 1;
      if (best > 0) {
        ranks[best - 1] = merges.rank(ids[best - 1], ids[best]);
      }
      if (best + 1 < this.length) {
        ranks[best] = merges.rank(ids[best], ids[best + 1]);
      }
    }
  }

  private mergeMany(merges: Merges, check: Check): void {
    const { ids, length, queue } = this;
    if (this.next.length < length) {
      this.next = new Int32Array(ids.length);
      this.previous = new Int32Array(ids.length);
    }
    const { next, previous } = this;
    queue.clear();
    for (let at = 0; at < length; at += 1) {
      next[at] = at + 1 < length ? at + 1 : -1;
      previous[at] = at - 1;
      this.queueMerge(merges, at);
      if (at % checkEvery === 0) {
        check();
      }
    }
    for (let steps = 1; queue.size > 0; steps += 1) {
      if (steps % checkEvery === 0) {
        check();
      }
      const entry = queue.pop();
      const rank = Math.floor(entry / positions);
      const at = entry - rank * positions;
      const other = next[at];
      // An entry is out of date once one of its symbols merged otherwise.
      if (other < 0 || merges.rank(ids[at], ids[other]) !== rank) {
        continue;
      }
      ids[at] = merges.product(rank);
      next[at] = next[other];
      next[other] = -2;
      if (next[at] >= 0) {
        previous[next[at]] = at;
        this.queueMerge(merges, at);
      }
      if (previous[at] >= 0) {
        this.queueMerge(merges, previous[at]);
      }
    }
    this.gather();
  }

  private queueMerge(merges: Merges, at: number): void {
    const other = this.next[at];
    const rank = other < 0 ? -1 : merges.rank(this.ids[at], this.ids[other]);
    if (rank >= 0) {
      this.queue.push(rank * positions + at);
    }
  }

  /** Moves the symbols that are left together. */
  private gather(): void {
    const { ids, starts, next } = this;
    let written = 0;
    for (let at = 0; at >= 0; at = next[at]) {
      ids[written] = ids[at];
      starts[written] = starts[at];
      written += 1;
    }
    this.length = written;
  }
}

const fewRanks = new Int32Array(fewSymbols + 1);

/** A queue of numbers from which the smallest comes first: a binary heap in a typed array. */
class NumberHeap {
  private values = new Float64Array(256);
  private count = 0;

  get size(): number {
    return this.count;
  }

  clear(): void {
    this.count = 0;
  }

  push(value: number): void {
    if (this.count === this.values.length) {
      const larger = new Float64Array(this.count * 2);
      larger.set(this.values);
      this.values = larger;
    }
    const { values } = this;
    let at = this.count;
    this.count += 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (values[parent] <= value) {
        break;
      }
      values[at] = values[parent];
      at = parent;
    }
    values[at] = value;
  }

  /** Takes the smallest. There must be one. */
  pop(): number {
    const { values } = this;
    const [smallest] = values;
    this.count -= 1;
    const { count } = this;
    const value = values[count];
    let at = 0;
    for (let child = 1; child < count; child = 2 * at + 1) {
      if (child + 1 < count && values[child + 1] < values[child]) {
        child += 1;
      }
      if (values[child] >= value) {
        break;
      }
      values[at] = values[child];
      at = child;
    }
    values[at] = value;
    return smallest;
  }
}
