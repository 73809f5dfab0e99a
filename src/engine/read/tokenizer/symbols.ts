import type { Merges } from './merges';
import { NumberHeap } from './number-heap';
import type { Check } from './token-buffer';

/** Symbols up to which the next merge is looked for one by one: cheaper than a queue. */
const fewSymbols = 40;
/** Positions in a queued merge: more than a prompt has. */
const positions = 2 ** 27;
/** Merges between two checks. */
const checkEvery = 2 ** 14;

/** The symbols of one piece while neighbours merge: ids, where they begin, and a list that links those left. */
export class Symbols {
  ids = new Int32Array(256);
  starts = new Int32Array(256);
  length = 0;
  /** Neighbours, -1 at the ends; -2 as the next one marks a symbol that was merged into the one before. */
  private next = new Int32Array(0);
  private previous = new Int32Array(0);
  private readonly queue = new NumberHeap();

  push(id: number, start: number): void {
    if (this.length === this.ids.length) {
      const { ids, starts } = this;
      this.ids = new Int32Array(ids.length * 2);
      this.ids.set(ids);
      this.starts = new Int32Array(ids.length * 2);
      this.starts.set(starts);
    }
    this.ids[this.length] = id;
    this.starts[this.length] = start;
    this.length += 1;
  }

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
