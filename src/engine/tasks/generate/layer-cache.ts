import type { Range, VisibleKeys } from '../../../core/scenario/scenario';
import type { ModelShape } from '../../../core/shapes';
import { hiddenScore } from '../../attend/graphs/attend';
import type { CachedKeys } from '../../attend/tiles/decode-steps';
import type { FloatOperand } from '../../attend/runtime/session';
import { type LayerTensors, rowsView } from '../../attend/tiles/layer';

/** Slots come so many at a time: how a sum over them is rounded depends on their number, which tokens yet to come must not change. */
const slotsAtOnce = 128;

/**
 * Keys and values of one layer that a later query may see, each in a slot of its heads.
 *
 * Keys are already rotated to their positions, and a softmax does not mind the order of its keys: so a key that no later
 * query sees gives its slot to another, and the slots in use are always the first.
 */
export class LayerCache {
  /** Positions in the sequence of the keys in the slots in use. */
  private readonly positions: number[] = [];
  /** Both `[H_kv, 1, slots, m]`. */
  private keys: FloatOperand;
  private values: FloatOperand;
  private slots: number;

  /** @param slots that are in use after the prompt; more come as they are needed */
  constructor(
    private readonly shape: Pick<ModelShape, 'keyValueHeads' | 'headWidth'>,
    slots: number,
  ) {
    this.slots = wholeSlots(slots);
    [this.keys, this.values] = [this.room(), this.room()];
  }

  /** Slots in use. */
  get length(): number {
    return this.positions.length;
  }

  /** Bytes that a cache takes, as it is allocated. */
  static bytes({ keyValueHeads, headWidth }: ModelShape, slots: number): number {
    return wholeSlots(slots) * keyValueHeads * 2 * headWidth * Float32Array.BYTES_PER_ELEMENT;
  }

  /** Gives up all keys. */
  clear(): void {
    this.positions.length = 0;
  }

  /** Takes rows of a layer's keys and values. @param row in the tensors @param position of that row in the sequence */
  add({ key, value }: Pick<LayerTensors, 'key' | 'value'>, row: number, position: number): void {
    const slot = this.positions.length;
    if (slot === this.slots) {
      this.slots += slotsAtOnce;
      [this.keys, this.values] = [this.keys, this.values].map((former) => this.room(former));
    }
    for (let head = 0; head < this.shape.keyValueHeads; head += 1) {
      this.keys.data.set(rowsView(key, head, row, row + 1), this.placeOf(slot, head));
      this.values.data.set(rowsView(value, head, row, row + 1), this.placeOf(slot, head));
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
   * What the newest token reads: all slots, not copied, and which of those in use it sees.
   *
   * @param seen ascending ranges of slots, the newest token's own behind those in use
   */
  read(seen: readonly Range[]): CachedKeys {
    const mask = new Float32Array(this.slots + 1).fill(hiddenScore);
    const used = this.positions.length;
    seen.forEach(({ from, to }) => mask.fill(0, from, Math.min(to, used)));
    if (seen.some(({ to }) => to > used)) {
      mask[this.slots] = 0;
    }
    return { keys: this.keys, values: this.values, mask };
  }

  /** Moves what is in the last slot to another, which is given up. */
  private moveLast(slot: number): void {
    const last = this.positions.length - 1;
    this.positions[slot] = this.positions[last];
    this.positions.pop();
    for (let head = 0; head < this.shape.keyValueHeads; head += 1) {
      const [from, to] = [this.placeOf(last, head), this.placeOf(slot, head)];
      this.keys.data.copyWithin(to, from, from + this.shape.headWidth);
      this.values.data.copyWithin(to, from, from + this.shape.headWidth);
    }
  }

  /** Numbers of all slots, with those of fewer. */
  private room(former?: FloatOperand): FloatOperand {
    const { keyValueHeads, headWidth } = this.shape;
    const data = new Float32Array(keyValueHeads * this.slots * headWidth);
    for (let head = 0; former !== undefined && head < keyValueHeads; head += 1) {
      const own = former.data.length / keyValueHeads;
      data.set(former.data.subarray(head * own, (head + 1) * own), this.placeOf(0, head));
    }
    return { data, shape: [keyValueHeads, 1, this.slots, headWidth] };
  }

  /** Where a head's numbers of a slot begin. */
  private placeOf(slot: number, head: number): number {
    return (head * this.slots + slot) * this.shape.headWidth;
  }
}

function wholeSlots(slots: number): number {
  return Math.ceil(slots / slotsAtOnce) * slotsAtOnce;
}
