import { type AttentionState, emptyState } from '../../../core/math/attention-state';
import type { Range, VisibleKeys } from '../../../core/scenario/scenario';
import type { ModelShape } from '../../../core/shapes';
import { hiddenScore, largestLogSum } from '../../attend/graphs/attend';
import { type LayerTensors, rowsView } from '../../attend/tiles/layer';
import type { AttentionRun, KeyStack, Oracle } from '../../attend/tiles/oracle';
import { mergeSinks, mergeTiles } from '../../attend/tiles/states';

/**
 * Keys and values of one layer that a later query may see, in tiles of M slots.
 *
 * Keys are already rotated to their positions, and a softmax does not mind the order of its keys: so a key that no later
 * query sees gives its slot to another, and the slots in use are always the first.
 */
export class LayerCache {
  /** Positions in the sequence of the keys in the slots in use. */
  private readonly positions: number[] = [];
  /** Of each key-value head `[tiles, M, m]`. */
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
    const tensors = (): Float32Array[] => Array.from({ length: keyValueHeads }, () => new Float32Array(this.capacity * headWidth));
    this.keys = tensors();
    this.values = tensors();
  }

  /** Slots in use. */
  get length(): number {
    return this.positions.length;
  }

  /** Bytes that a cache takes, as it is allocated. */
  static bytes({ keyValueHeads, headWidth }: ModelShape, slots: number, rows: number): number {
    return Math.ceil(slots / rows) * rows * keyValueHeads * 2 * headWidth * Float32Array.BYTES_PER_ELEMENT;
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
    this.keys.forEach((keys, head) => {
      keys.set(rowsView(key, head, row, row + 1), slot * this.width);
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
      const at = copy.positions.length * this.width;
      this.keys.forEach((keys, head) => {
        copy.keys[head].set(keys.subarray(from * this.width, to * this.width), at);
        copy.values[head].set(this.values[head].subarray(from * this.width, to * this.width), at);
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
    for (const tensor of [...this.keys, ...this.values]) {
      tensor.copyWithin(slot * this.width, last * this.width, (last + 1) * this.width);
    }
  }
}

/**
 * Attention of the newest token over the keys in its layer's cache: a call for each tile of M slots, for each key-value head.
 *
 * The query heads that share a key-value head are the queries of one call.
 * @param query `[H, m]`, scaled by 1/sqrt(m)
 * @param headWidth m
 * @param sinks scores `[H]` of learned sinks, if the layer has them
 * @returns `[H, m]`
 */
export async function attendCached(
  oracle: Pick<Oracle, 'attend' | 'attendApart'>,
  cache: LayerCache,
  query: Float32Array,
  headWidth: number,
  sinks?: Float32Array,
): Promise<Float32Array> {
  const out = new Float32Array(query.length);
  const size = query.length / cache.keys.length;
  const sharing = size / headWidth;
  for (let head = 0; head < cache.keys.length; head += 1) {
    const state = await attendHead(oracle, cache, head, query.subarray(head * size, (head + 1) * size), headWidth);
    if (sinks !== undefined) {
      mergeSinks(state, sinks.subarray(head * sharing, (head + 1) * sharing));
    }
    out.set(state.out, head * size);
  }
  return out;
}

/** The state of the query heads of one key-value head, `[queries, m]`. */
async function attendHead(
  oracle: Pick<Oracle, 'attend' | 'attendApart'>,
  cache: LayerCache,
  head: number,
  query: Float32Array,
  headWidth: number,
): Promise<AttentionState> {
  const queries = query.length / headWidth;
  const runOf = (stacks: readonly KeyStack[]): AttentionRun => ({
    rows: cache.rows,
    queries,
    blocks: 1,
    query,
    stacks,
    instances: stacks.reduce((tiles, stack) => tiles + stack.tiles, 0),
  });
  const stacks = stacksOf(cache, head, queries, headWidth);
  const { out, logNormaliser, logSum } = await oracle.attend(runOf(stacks));
  if (logSum.every((value) => value < largestLogSum)) {
    return { rows: queries, width: headWidth, out, logNormaliser };
  }
  // A score lies far above the reference of its sum: each tile again, with a reference of its own.
  const state = emptyState(queries, headWidth);
  for (const stack of stacks) {
    mergeTiles(state, await oracle.attendApart(runOf([stack])), stack.tiles, queries);
  }
  return state;
}

/** The tiles of a cache: the last one first and by itself, since it may be part-filled and the first stack gives the reference. */
function stacksOf({ keys, values, length, rows }: LayerCache, head: number, queries: number, headWidth: number): KeyStack[] {
  const full = Math.ceil(length / rows) - 1;
  const filled = length - full * rows;
  const view = (from: number, tiles: number): Pick<KeyStack, 'tiles' | 'key' | 'value'> => ({
    tiles,
    key: keys[head].subarray(from * rows * headWidth, (from + tiles) * rows * headWidth),
    value: values[head].subarray(from * rows * headWidth, (from + tiles) * rows * headWidth),
  });
  const mask =
    filled === rows ? undefined : Float32Array.from({ length: queries * rows }, (_, index) => (index % rows < filled ? 0 : hiddenScore));
  return [{ ...view(full, 1), mask }, ...(full > 0 ? [view(0, full)] : [])];
}
