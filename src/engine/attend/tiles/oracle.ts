import type { BlackBoxShape } from '../../../core/construct/slice';
import type { LayerWeights } from '../../read/model/load';
import type { BlackBox, CallCounter } from '../black-box/black-box';

/** Tiles that are read in the same way. */
export interface KeyStack {
  readonly tiles: number;
  /**
   * `[tiles, M, m + 1]`: the last column is 1, so that a product with a query that ends in -c gives the score less c. Where
   * the run's keys are plain, `[tiles, M, m]`, and the run appends that column.
   */
  readonly key: Float32Array;
  /** `[tiles, M, m]`. */
  readonly value: Float32Array;
  /** `[queries, M]`, added to the scores of every tile; absent where every pair is visible. */
  readonly mask?: Float32Array | undefined;
}

/** Sums over the keys read so far, relative to a reference score c for each query: mean `weighted / sum`, log-normaliser `c + log(sum)`. */
export interface RunningSums {
  /** c, `[blocks, M]`. */
  readonly reference: Float32Array;
  /** Sum of `e^(score - c) value`, `[blocks, M, m]`. */
  readonly weighted: Float32Array;
  /** Sum of `e^(score - c)`, `[blocks, M]`. */
  readonly sum: Float32Array;
}

/** A native run of attention calls of one head: `blocks` query blocks and the tiles they read. */
export interface AttentionRun {
  /** M. */
  readonly rows: number;
  /** Queries of a block, where they are fewer than M. */
  readonly queries?: number;
  readonly blocks: number;
  /** `[blocks, queries, m]`, scaled by 1/sqrt(m). */
  readonly query: Float32Array;
  /**
   * With one query block, any number of tiles each, summed over. With several, one tile for each, or one that all read.
   * The first stack gives the reference scores where nothing is carried: every query should see a key in it.
   */
  readonly stacks: readonly KeyStack[];
  readonly plainKeys: boolean;
  /** Single-head instances that this run is: its tiles, each read by one query block. */
  readonly instances: number;
  /** Sums of an earlier run of the same query block. */
  readonly carried?: RunningSums | undefined;
}

/** Attention of a run: `out` `[blocks, M, m]`, `logNormaliser` `[blocks, M]`, natural logarithm. */
export interface AttentionResult {
  readonly out: Float32Array;
  readonly logNormaliser: Float32Array;
  /** `log(sum)`: at `largestLogSum` or above, or NaN, a score lay so far above its reference that the row is not to be trusted. */
  readonly logSum: Float32Array;
}

/**
 * The small transformer: reads at most M tokens a call, its parameters given with each call, and counts its calls.
 */
export interface Oracle {
  readonly calls: Readonly<CallCounter>;
  /** Attends within tiles. */
  attend(run: AttentionRun): Promise<AttentionResult>;
  /** The same, for a query block that has more tiles to read. */
  attendOn(run: AttentionRun): Promise<RunningSums>;
  /** Attends within each tile of one stack apart, with a reference of its own: out `[tiles, M, m]`. Always exact. */
  attendApart(run: AttentionRun): Promise<AttentionResult>;
  /** Ends a round of independent attention calls: its instances count as calls of `perCall` = H'L' each (lemma 3.3), the last perhaps part-filled. */
  closeRound(perCall: number): void;
  /**
   * Projects `rows` consecutive tokens, M a call, to `query` `[H, rows, m]`, `key` and `value` `[H_kv, rows, m]`.
   *
   * @param firstToken position of the first row, for the rotary embedding
   */
  project(hidden: Float32Array, layer: LayerWeights, firstToken: number): Promise<Record<'query' | 'key' | 'value', Float32Array>>;
  /** Output projection and MLP of `rows` consecutive tokens, M a call: the next residual stream `[rows, d]`. */
  outputAndMlp(hidden: Float32Array, attended: Float32Array, layer: LayerWeights): Promise<Float32Array>;
  /** The small transformer as a black box of a shape: its calls count among the attention calls. */
  blackBox(shape: BlackBoxShape): BlackBox;
}
