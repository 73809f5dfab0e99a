import type { Range, VisibleKeys } from '../../../core/scenario/scenario';
import type { ModelShape } from '../../../core/shapes';
import { hiddenScore } from '../../attend/graphs/attend';
import { tileSlots } from '../../attend/graphs/decode-step';
import type { CachedKeys } from '../../attend/tiles/decode-steps';
import { type LayerTensors, rowsView } from '../../attend/tiles/layer';

/**
 * Keys and values of one layer that a later query may see, in tiles of slots, each `[H_kv, slots, m]`.
 *
 * Keys are already rotated to their positions, and a softmax does not mind the order of its keys: so a key that no later
 * query sees gives its slot to another, and the slots in use are always the first.
 */
export class LayerCache {
  /** Positions in the sequence of the keys in the slots in use. */
  private readonly positions: number[] = [];
  /** Both `[tiles, H_kv, slots, m]`. */
  private readonly keys: Float32Array;
  private readonly values: Float32Array;
  private readonly capacity: number;

  /** @param slots that are ever in use at once */
  constructor(
    private readonly shape: Pick<ModelShape, 'keyValueHeads' | 'headWidth'>,
    slots: number,
  ) {
    this.capacity = capacityOf(slots);
    // Memory that was never written takes none yet.
    const tensor = (): Float32Array => new Float32Array(this.capacity * shape.keyValueHeads * shape.headWidth);
    [this.keys, this.values] = [tensor(), tensor()];
  }

  /** Slots in use. */
  get length(): number {
    return this.positions.length;
  }

  /** Bytes that a cache takes, as it is allocated. */
  static bytes({ keyValueHeads, headWidth }: ModelShape, slots: number): number {
    return capacityOf(slots) * keyValueHeads * 2 * headWidth * Float32Array.BYTES_PER_ELEMENT;
  }

  /** Gives up all keys. */
  clear(): void {
    this.positions.length = 0;
  }

  /** Takes rows of a layer's keys and values. @param row in the tensors @param position of that row in the sequence */
  add({ key, value }: Pick<LayerTensors, 'key' | 'value'>, row: number, position: number): void {
    const slot = this.positions.length;
    if (slot === this.capacity) {
      throw new RangeError(`A cache of ${this.capacity} keys is full at position ${position}.`);
    }
    for (let head = 0; head < this.shape.keyValueHeads; head += 1) {
      this.keys.set(rowsView(key, head, row, row + 1), this.placeOf(slot, head));
      this.values.set(rowsView(value, head, row, row + 1), this.placeOf(slot, head));
    }
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
   * What the newest token reads: the tiles in use, not copied, and which of their slots it sees.
   *
   * @param seen ascending ranges of slots, the newest token's own behind those in use
   */
  read(seen: readonly Range[]): CachedKeys {
    const { positions } = this;
    const tiles = Math.max(1, Math.ceil(positions.length / tileSlots));
    const mask = new Float32Array(tiles * tileSlots).fill(hiddenScore);
    seen.forEach(({ from, to }) => mask.fill(0, from, Math.min(to, positions.length)));
    const ownMask = Float32Array.of(seen.some(({ to }) => to > positions.length) ? 0 : hiddenScore);
    const end = this.placeOf(tiles * tileSlots, 0);
    return { keys: this.keys.subarray(0, end), values: this.values.subarray(0, end), mask, ownMask };
  }

  /** Moves what is in the last slot to another, which is given up. */
  private moveLast(slot: number): void {
    const last = this.positions.length - 1;
    this.positions[slot] = this.positions[last];
    this.positions.pop();
    for (let head = 0; head < this.shape.keyValueHeads; head += 1) {
      const [from, to] = [this.placeOf(last, head), this.placeOf(slot, head)];
      this.keys.copyWithin(to, from, from + this.shape.headWidth);
      this.values.copyWithin(to, from, from + this.shape.headWidth);
    }
  }

  /** Where a head's numbers of a slot begin. */
  private placeOf(slot: number, head: number): number {
    const { keyValueHeads, headWidth } = this.shape;
    const tile = Math.floor(slot / tileSlots);
    return ((tile * keyValueHeads + head) * tileSlots + (slot % tileSlots)) * headWidth;
  }
}

/** Slots of the tiles that have room for some. */
function capacityOf(slots: number): number {
  return Math.ceil(slots / tileSlots) * tileSlots;
}
