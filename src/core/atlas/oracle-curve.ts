/** Shares of the attention mass for which the fewest tiles are counted. */
export const keptShares = [0.9, 0.99, 0.999] as const;

/** One of them in words, such as `99.9%`. */
export function keptLabel(share: number): string {
  return `${Math.round(1000 * share) / 10}%`;
}

/** The fewest of some masses that together have each of `keptShares` of their sum. */
export function fewestTiles(masses: readonly number[]): number[] {
  const ascending = new Float64Array(masses).sort();
  const total = ascending.reduce((sum, mass) => sum + mass, 0);
  const found: number[] = [];
  let kept = 0;
  let tiles = 0;
  for (const share of keptShares) {
    while (tiles < ascending.length && kept < share * total) {
      tiles += 1;
      kept += ascending[ascending.length - tiles];
    }
    found.push(tiles);
  }
  return found;
}

/** Bins for each halving of a mass, and halvings down to which bins go: what is less is in the last one. */
const [binsPerHalving, halvings] = [64, 40];

/**
 * Masses of any number of tiles by size, in which those that matter most are found without keeping or sorting them.
 *
 * A bin has its tiles' number and their exact sum, so only the last bin that is needed is open to doubt.
 */
export class MassHistogram {
  private readonly counts = new Float64Array(binsPerHalving * halvings);
  private readonly sums = new Float64Array(binsPerHalving * halvings);

  /** @param mass above 0, up to 1 @param log its natural logarithm */
  add(mass: number, log = Math.log(mass)): void {
    const bin = Math.min(this.counts.length - 1, Math.max(0, Math.floor(-binsPerHalving * Math.LOG2E * log)));
    this.counts[bin] += 1;
    this.sums[bin] += mass;
  }

  addAll(other: MassHistogram): void {
    other.counts.forEach((count, bin) => (this.counts[bin] += count));
    other.sums.forEach((sum, bin) => (this.sums[bin] += sum));
  }

  /**
   * Of the fewest tiles that together have each of `keptShares` of the mass, a lower bound: at most 1.1% less of the tiles in the last bin
   * that is needed, which are taken to be as heavy as it has them.
   */
  fewest(): number[] {
    const total = this.sums.reduce((sum, mass) => sum + mass, 0);
    return keptShares.map((share) => {
      let missing = share * total;
      let tiles = 0;
      for (let bin = 0; bin < this.sums.length && missing > 0; bin += 1) {
        const heaviest = 2 ** (-bin / binsPerHalving);
        tiles += this.sums[bin] <= missing ? this.counts[bin] : Math.min(this.counts[bin], Math.ceil(missing / heaviest - rounding));
        missing -= this.sums[bin];
      }
      return tiles;
    });
  }
}

/** By how much sums of equal masses may miss a whole number of them. */
const rounding = 1e-9;
