import type { Range, VisibleKeys } from '../../../core/scenario/scenario';
import type { ModelShape } from '../../../core/shapes';
import { rowsView } from '../../run/head-tensor';
import type { LayerTensors } from '../../attend/tiles/layer';

/**
 * Keys and values of one layer that a later query may see, in tiles of M slots.
 *
 * Keys are already rotated to their positions, and a softmax does not mind the order of its keys: so a key that no later
 * query sees gives its slot to another, and the slots in use are always the first.
 */
export class LayerCache {
  /** Positions in the sequence of the keys in the slots in use. */
  private readonly positions: number[] = [];
  /** Of each key-value head `[tiles, M, m + 1]`: the last column is 1, as attention calls want it. */
  readonly keys: readonly Float32Array[];
  /** Of each key-value head `[tiles, M, m]`. */
  readonly values: readonly Float32Array[];
  private readonly width: number;
  private readonly capacity: number;

  /**
   * @param slots that are ever in use at once
   * @param rows M
   */
  constructor(
    private readonly shape: Pick<ModelShape, 'keyValueHeads' | 'headWidth'>,
    slots: number,
    readonly rows: number,
  ) {
    const { keyValueHeads, headWidth } = shape;
    this.width = headWidth;
    this.capacity = Math.ceil(slots / rows) * rows;
    const tensors = (width: number): Float32Array[] => Array.from({ length: keyValueHeads }, () => new Float32Array(this.capacity * width));
    this.keys = tensors(headWidth + 1);
    this.values = tensors(headWidth);
  }

  /** Slots in use. */
  get length(): number {
    return this.positions.length;
  }

  /** Bytes that a cache takes, as it is allocated. */
  static bytes({ keyValueHeads, headWidth }: ModelShape, slots: number, rows: number): number {
    return Math.ceil(slots / rows) * rows * keyValueHeads * (2 * headWidth + 1) * Float32Array.BYTES_PER_ELEMENT;
  }

  /** Takes rows of a layer's keys and values. @param row in the tensors @param position of that row in the sequence */
  add({ key, value }: Pick<LayerTensors, 'key' | 'value'>, row: number, position: number): void {
    const slot = this.positions.length;
    if (slot === this.capacity) {
      throw new RangeError(`A cache of ${this.capacity} keys is full at position ${position}.`);
    }
    this.keys.forEach((keys, head) => {
      const at = slot * (this.width + 1);
      keys.set(rowsView(key, head, row, row + 1), at);
      keys[at + this.width] = 1;
      this.values[head].set(rowsView(value, head, row, row + 1), slot * this.width);
    });
    this.positions.push(position);
  }

  /** Gives up the keys that a query, and with it every later one, does not see. */
  keep({ prefixEnd, start, end }: VisibleKeys): void {
    for (let slot = this.positions.length - 1; slot >= 0; slot -= 1) {
      const position = this.positions[slot];
      if (!(position < prefixEnd || (position >= start && position < end))) {
        this.moveLast(slot);
      }
    }
  }

  /**
   * A copy of the keys and values in some slots.
   *
   * @param slots ascending ranges, at least one slot in all
   */
  copyOf(slots: readonly Range[]): LayerCache {
    const count = slots.reduce((sum, { from, to }) => sum + to - from, 0);
    const copy = new LayerCache(this.shape, count, Math.min(this.rows, count));
    for (const { from, to } of slots) {
      const at = copy.positions.length;
      this.keys.forEach((keys, head) => {
        copy.keys[head].set(keys.subarray(from * (this.width + 1), to * (this.width + 1)), at * (this.width + 1));
        copy.values[head].set(this.values[head].subarray(from * this.width, to * this.width), at * this.width);
      });
      copy.positions.push(...this.positions.slice(from, to));
    }
    return copy;
  }

  /** Moves what is in the last slot to another, which is given up. */
  private moveLast(slot: number): void {
    const last = this.positions.length - 1;
    this.positions[slot] = this.positions[last];
    this.positions.pop();
    this.keys.forEach((keys, head) => {
      const wide = this.width + 1;
      keys.copyWithin(slot * wide, last * wide, (last + 1) * wide);
      this.values[head].copyWithin(slot * this.width, last * this.width, (last + 1) * this.width);
    });
  }
}
