import { permutation } from '../../../core/math/random';
import { readsPlainKeys } from '../../../core/plan/dispatches';
import { blockStart } from '../../../core/plan/partition';
import type { LayerPlan } from '../../../core/plan/plan';
import { sampleSeed } from '../../../core/scenario/scenario';
import { type HeadTensor, rowsView } from './layer';

/**
 * The operands of one head's attention calls: views of the layer's own tensors where possible, otherwise copies in the
 * layout that the calls need.
 *
 * If many query blocks read each key block, keys are copied once per key-value head, with the column of ones that attention
 * calls need (see the attend graph), and in permuted order if the plan samples. If few do, as under a window, the runs
 * append that column themselves. A short last block is padded with zeros, which its mask hides.
 */
export class HeadOperands {
  private readonly order: Uint32Array | Int32Array | undefined;
  private readonly key: Float32Array;
  /** Values in permuted order, or only those of a short last block. */
  private readonly value: Float32Array;
  private readonly lastQuery: Float32Array;
  private loaded: { readonly key: HeadTensor; readonly value: HeadTensor; readonly head: number } | undefined;
  private readonly short: boolean;
  /** Whether keys are passed without the column of ones. */
  readonly plainKeys: boolean;

  /** @param rows M, or N if a block is longer than the sequence */
  constructor(
    private readonly plan: LayerPlan,
    private readonly rows: number,
  ) {
    const { tokens, blocks, model } = plan;
    const width = model.headWidth;
    const seed = sampleSeed(plan.scenario);
    this.order = seed === undefined ? undefined : permutation(tokens, seed);
    this.short = tokens < blocks * rows;
    this.plainKeys = readsPlainKeys(plan);
    this.key = new Float32Array(this.plainKeys ? rows * width : blocks * rows * (width + 1));
    this.value = new Float32Array((this.order ? blocks : 1) * rows * width);
    this.lastQuery = new Float32Array(rows * width);
    for (let row = 0; row < tokens && !this.plainKeys; row += 1) {
      this.key[row * (width + 1) + width] = 1;
    }
  }

  /** Loads the keys and values of a key-value head. */
  load(key: HeadTensor, value: HeadTensor, head: number): void {
    const { tokens, blocks } = this.plan;
    const { width } = key;
    this.loaded = { key, value, head };
    if (this.short && this.order === undefined) {
      this.value.set(rowsView(value, head, blockStart(this.plan, blocks - 1), tokens));
    }
    if (this.plainKeys) {
      if (this.short) {
        this.key.set(rowsView(key, head, blockStart(this.plan, blocks - 1), tokens));
      }
      return;
    }
    const source = rowsView(key, head, 0, tokens);
    for (let row = 0; row < tokens; row += 1) {
      const from = (this.order?.[row] ?? row) * width;
      const to = row * (width + 1);
      for (let column = 0; column < width; column += 1) {
        this.key[to + column] = source[from + column];
      }
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
    const size = this.rows * (this.plan.model.headWidth + 1);
    return this.key.subarray(from * size, (from + tiles) * size);
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
    if (this.loaded === undefined) {
      throw new Error('Keys and values are asked for before a head was loaded.');
    }
    return rowsView(this.loaded[name], this.loaded.head, from * this.rows, (from + tiles) * this.rows);
  }

  /** Queries of `blocks` blocks of a head, `[blocks, M, m]`. A short last block must be requested separately. */
  queries(query: HeadTensor, head: number, from: number, blocks: number): Float32Array {
    if (!this.isShort(from + blocks)) {
      return rowsView(query, head, from * this.rows, (from + blocks) * this.rows);
    }
    this.lastQuery.set(rowsView(query, head, from * this.rows, this.plan.tokens));
    return this.lastQuery;
  }

  private isShort(end: number): boolean {
    return this.short && end === this.plan.blocks;
  }
}
