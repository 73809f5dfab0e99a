import { permutation } from '../../../core/math/random';
import { blockStart } from '../../../core/plan/partition';
import type { LayerStep } from '../../../core/plan/segments';
import type { LayerPlan } from '../../../core/plan/plan';
import { sampleSeed } from '../../../core/scenario/scenario';
import { lengthOf, placeOf } from '../../../core/shards/cut';
import { type HeadTensor, rowsView } from './layer';

/**
 * The operands of one head's attention calls: views of the layer's own tensors. Only a short last block is copied, padded with
 * zeros, which its mask hides, and all keys and values, in permuted order, if the plan samples.
 *
 * Blocks are those of the sequence, tensors have the rows that a step holds of it.
 */
export class HeadOperands {
  private readonly order: Uint32Array | Int32Array | undefined;
  /** Keys and values in permuted order, or only those of a short last block. */
  private readonly copies: Record<'key' | 'value', Float32Array>;
  private readonly lastQuery: Float32Array;
  private loaded: { readonly key: HeadTensor; readonly value: HeadTensor; readonly head: number; readonly step: LayerStep } | undefined;
  private readonly short: boolean;

  /** @param rows M, or N if a block is longer than the sequence */
  constructor(
    private readonly plan: LayerPlan,
    private readonly rows: number,
  ) {
    const { tokens, blocks, model } = plan;
    const seed = sampleSeed(plan.scenario);
    this.order = seed === undefined ? undefined : permutation(tokens, seed);
    this.short = tokens < blocks * rows;
    const size = rows * model.headWidth;
    const copy = (): Float32Array => new Float32Array(this.order ? blocks * size : this.short ? size : 0);
    this.copies = { key: copy(), value: copy() };
    this.lastQuery = new Float32Array(this.short ? size : 0);
  }

  /** Loads the keys and values that a step holds of a key-value head. */
  load(key: HeadTensor, value: HeadTensor, head: number, step: LayerStep): void {
    this.loaded = { key, value, head, step };
    const { key: keys, value: values } = this.copies;
    if (this.order !== undefined) {
      for (const [row, token] of this.order.entries()) {
        keys.set(rowsView(key, head, token, token + 1), row * key.width);
        values.set(rowsView(value, head, token, token + 1), row * value.width);
      }
      return;
    }
    const lastRow = this.short ? placeOf(step.keys, blockStart(this.plan, this.plan.blocks - 1)) : undefined;
    if (lastRow !== undefined) {
      keys.set(rowsView(key, head, lastRow, lengthOf(step.keys)));
      values.set(rowsView(value, head, lastRow, lengthOf(step.keys)));
    }
  }

  /** Keys and values of `tiles` blocks, `[tiles, M, m]` each. A short last block must be requested separately. */
  tiles(from: number, tiles: number): Record<'key' | 'value', Float32Array> {
    return { key: this.rowsOf('key', from, tiles), value: this.rowsOf('value', from, tiles) };
  }

  private rowsOf(name: 'key' | 'value', from: number, tiles: number): Float32Array {
    if (this.order !== undefined) {
      const size = this.rows * this.plan.model.headWidth;
      return this.copies[name].subarray(from * size, (from + tiles) * size);
    }
    if (this.isShort(from + tiles)) {
      return this.copies[name];
    }
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
