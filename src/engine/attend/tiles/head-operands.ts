import { permutation } from '../../../core/math/random';
import { readsPlainKeys } from '../../../core/plan/dispatches';
import { blockStart } from '../../../core/plan/partition';
import type { LayerStep } from '../../../core/plan/segments';
import type { LayerPlan } from '../../../core/plan/plan';
import { sampleSeed } from '../../../core/scenario/scenario';
import { lengthOf, placeOf } from '../../../core/shards/cut';
import { type HeadTensor, rowsView } from './layer';

/**
 * The operands of one head's attention calls: views of the layer's own tensors where possible, otherwise copies in the
 * layout that the calls need.
 *
 * If many query blocks read each key block, keys are copied once per key-value head, with the column of ones that attention
 * calls need (see the attend graph), and in permuted order if the plan samples. If few do, as under a window, the runs
 * append that column themselves. A short last block is padded with zeros, which its mask hides.
 *
 * Blocks are those of the sequence, tensors have the rows that a step holds of it.
 */
export class HeadOperands {
  private readonly order: Uint32Array | Int32Array | undefined;
  private readonly key: Float32Array;
  /** Values in permuted order, or only those of a short last block. */
  private readonly value: Float32Array;
  private readonly lastQuery: Float32Array;
  private loaded: { readonly key: HeadTensor; readonly value: HeadTensor; readonly head: number; readonly step: LayerStep } | undefined;
  private readonly short: boolean;
  /** Whether keys are passed without the column of ones. */
  readonly plainKeys: boolean;

  /** @param rows M, or N if a block is longer than the sequence @param keys that a step holds at most */
  constructor(
    private readonly plan: LayerPlan,
    private readonly rows: number,
    keys: number,
  ) {
    const { tokens, blocks, model } = plan;
    const width = model.headWidth;
    const seed = sampleSeed(plan.scenario);
    this.order = seed === undefined ? undefined : permutation(tokens, seed);
    this.short = tokens < blocks * rows;
    this.plainKeys = readsPlainKeys(plan);
    this.key = new Float32Array(this.plainKeys ? rows * width : Math.ceil(keys / rows) * rows * (width + 1));
    this.value = new Float32Array((this.order ? blocks : 1) * rows * width);
    this.lastQuery = new Float32Array(rows * width);
  }

  /** Loads the keys and values that a step holds of a key-value head. */
  load(key: HeadTensor, value: HeadTensor, head: number, step: LayerStep): void {
    const { width } = key;
    this.loaded = { key, value, head, step };
    const held = lengthOf(step.keys);
    const lastRow = this.short ? placeOf(step.keys, blockStart(this.plan, this.plan.blocks - 1)) : undefined;
    if (lastRow !== undefined && this.order === undefined) {
      this.value.set(rowsView(value, head, lastRow, held));
    }
    if (this.plainKeys) {
      if (lastRow !== undefined) {
        this.key.set(rowsView(key, head, lastRow, held));
      }
      return;
    }
    const source = rowsView(key, head, 0, held);
    for (let row = 0; row < held; row += 1) {
      const from = (this.order?.[row] ?? row) * width;
      const to = row * (width + 1);
      for (let column = 0; column < width; column += 1) {
        this.key[to + column] = source[from + column];
      }
      this.key[to + width] = 1;
    }
    if (lastRow !== undefined) {
      this.key.fill(0, held * (width + 1), Math.ceil(held / this.rows) * this.rows * (width + 1));
    }
    this.order?.forEach((token, row) => this.value.set(rowsView(value, head, token, token + 1), row * width));
  }

  /**
   * Keys of `tiles` blocks, `[tiles, M, m + 1]`, or m if they are plain. A short last block must be requested separately.
   */
  keys(from: number, tiles: number): Float32Array {
    if (this.plainKeys) {
      return this.isShort(from + tiles) ? this.key : this.view('key', from, tiles);
    }
    const first = this.rowOf(from);
    const wide = this.plan.model.headWidth + 1;
    return this.key.subarray(first * wide, (first + tiles * this.rows) * wide);
  }

  /** Values of `tiles` blocks, `[tiles, M, m]`. A short last block must be requested separately. */
  valuesOf(from: number, tiles: number): Float32Array {
    if (this.order !== undefined) {
      const size = this.rows * this.plan.model.headWidth;
      return this.value.subarray(from * size, (from + tiles) * size);
    }
    return this.isShort(from + tiles) ? this.value : this.view('value', from, tiles);
  }

  private view(name: 'key' | 'value', from: number, tiles: number): Float32Array {
    const { [name]: tensor, head } = this.head;
    const first = this.rowOf(from);
    return rowsView(tensor, head, first, first + tiles * this.rows);
  }

  /** Queries of `blocks` blocks of a head, `[blocks, M, m]`. A short last block must be requested separately. */
  queries(query: HeadTensor, head: number, from: number, blocks: number): Float32Array {
    const { queries } = this.head.step;
    const first = from * this.rows - queries.from;
    if (!this.isShort(from + blocks)) {
      return rowsView(query, head, first, first + blocks * this.rows);
    }
    this.lastQuery.set(rowsView(query, head, first, this.plan.tokens - queries.from));
    return this.lastQuery;
  }

  /** Where the keys of a block begin in the tensors. */
  private rowOf(block: number): number {
    const row = placeOf(this.head.step.keys, block * this.rows);
    if (row === undefined) {
      throw new RangeError(`Key block ${block} is read and not held.`);
    }
    return row;
  }

  private get head(): NonNullable<HeadOperands['loaded']> {
    if (this.loaded === undefined) {
      throw new Error('Keys and values are asked for before a head was loaded.');
    }
    return this.loaded;
  }

  private isShort(end: number): boolean {
    return this.short && end === this.plan.blocks;
  }
}
