import type { Range } from '../scenario/mask';

/** Keys that are summed one by one at the ends of a range; between them whole chunks of so many are. */
const chunkKeys = 16;

/**
 * Sums of weights and of weighted values over any range of keys, in float64, in O(log N) additions: those of chunks, of pairs of
 * chunks, of pairs of those, ... are kept. A sum is only ever added up, never the difference of two larger ones.
 */
export class KeySums {
  /** The sums of chunks `[chunks, 2 chunks)`, and before them those of each two `[2 chunks, m + 1]`; node 0 is unused. */
  private readonly nodes: Float64Array;
  private readonly chunks: number;

  /**
   * @param weights `[N]`
   * @param values `[N, m]`
   * @param order ranges are of places in this order of the keys; of the keys themselves by default
   */
  constructor(
    private readonly weights: Float64Array,
    private readonly values: Float32Array,
    private readonly width: number,
    private readonly order?: Uint32Array,
  ) {
    const size = width + 1;
    this.chunks = Math.ceil(weights.length / chunkKeys);
    this.nodes = new Float64Array(2 * this.chunks * size);
    for (let chunk = 0; chunk < this.chunks; chunk += 1) {
      const sums = this.node(this.chunks + chunk);
      this.addKeys(chunk * chunkKeys, Math.min(weights.length, (chunk + 1) * chunkKeys), sums);
    }
    for (let node = this.chunks - 1; node > 0; node -= 1) {
      const sums = this.node(node);
      this.addNode(2 * node, sums);
      this.addNode(2 * node + 1, sums);
    }
  }

  /** Adds the sums over a range to `into` `[m + 1]`: of the weighted values, then of the weights. */
  add({ from, to }: Range, into: Float64Array): void {
    const first = Math.ceil(from / chunkKeys);
    const end = Math.floor(to / chunkKeys);
    if (first >= end) {
      this.addKeys(from, to, into);
      return;
    }
    this.addKeys(from, first * chunkKeys, into);
    let low = this.chunks + first;
    let high = this.chunks + end;
    for (; low < high; low >>= 1, high >>= 1) {
      if (low & 1) {
        this.addNode(low, into);
        low += 1;
      }
      if (high & 1) {
        high -= 1;
        this.addNode(high, into);
      }
    }
    this.addKeys(end * chunkKeys, to, into);
  }

  private node(index: number): Float64Array {
    return this.nodes.subarray(index * (this.width + 1), (index + 1) * (this.width + 1));
  }

  private addNode(index: number, into: Float64Array): void {
    const { nodes, width } = this;
    const from = index * (width + 1);
    for (let column = 0; column <= width; column += 1) {
      into[column] += nodes[from + column];
    }
  }

  private addKeys(from: number, to: number, into: Float64Array): void {
    const { weights, values, width, order } = this;
    for (let place = from; place < to; place += 1) {
      const key = order === undefined ? place : order[place];
      const weight = weights[key];
      for (let column = 0; column < width; column += 1) {
        into[column] += weight * values[key * width + column];
      }
      into[width] += weight;
    }
  }
}
