import type { TileMasses } from '../atlas/gatherer';
import type { Candidate } from './candidates';

/** Gathers how much of the attention of each part of a model every candidate cuts off, from the masses of a run's tiles, in any order. */
export class CutMasses {
  private readonly sums: readonly Float64Array[];
  /** Queries of all heads, by part. */
  private readonly queries: Float64Array;

  /** @param parts layers, or heads of all layers @param rowsOf queries of a block */
  constructor(
    private readonly candidates: readonly Candidate[],
    parts: number,
    private readonly rowsOf: (block: number) => number,
  ) {
    this.sums = Array.from({ length: parts }, () => new Float64Array(candidates.length));
    this.queries = new Float64Array(parts);
  }

  /** Takes what the tiles of a query block hold of the weights of a head in a part; none is later than the query block. */
  add(part: number, block: number, { keyBlocks, masses }: TileMasses): void {
    const rows = this.rowsOf(block);
    // First by distance, then of all keys nearer than it.
    const nearer = new Float64Array(block + 2);
    let first = 0;
    for (let index = 0; index < masses.length; index += 1) {
      nearer[block - keyBlocks[index] + 1] += masses[index];
      first += keyBlocks[index] === 0 ? masses[index] : 0;
    }
    for (let distance = 1; distance < nearer.length; distance += 1) {
      nearer[distance] += nearer[distance - 1];
    }
    const total = nearer[block + 1];
    const sums = this.sums[part];
    for (let index = 0; index < this.candidates.length; index += 1) {
      const { sinkBlocks, windowBlocks } = this.candidates[index];
      if (windowBlocks <= block) {
        const cut = Math.max(0, total - nearer[windowBlocks] - (sinkBlocks === 0 ? 0 : first)) / total;
        sums[index] += rows * cut ** 2;
      }
    }
    this.queries[part] += rows;
  }

  /**
   * By part and candidate, the mean over heads and queries of the square of the share of a query block's mass that is cut off. Squares,
   * because what a head loses in one place changes predictions more than the same in two. A part without attention loses nothing.
   */
  result(): readonly (readonly number[])[] {
    return this.sums.map((sums, part) => Array.from(sums, (sum) => sum / Math.max(1, this.queries[part])));
  }
}
