import type { Range } from '../../../core/scenario/scenario';
import type { BlackBoxShape } from '../../../core/construct/slice';
import type { LayerWeights } from '../../read/model/load';
import type { BlackBox, CallCounter } from '../black-box/black-box';

/** Tiles read in the same way. */
export interface KeyStack {
  readonly tiles: number;
  /** `[tiles, keys, m]`: M keys of each, or fewer of a single one. */
  readonly key: Float32Array;
  /** `[tiles, keys, m]`. */
  readonly value: Float32Array;
  /** `[queries, keys]`, added to the scores of every tile; absent if every pair is visible. */
  readonly mask?: Float32Array | undefined;
}

/**
 * Sums over the keys read so far, relative to a reference score c per query: the mean is `weighted / sum`, the
 * log-normaliser `c + log(sum)`.
 */
export interface RunningSums {
  /** c, `[blocks, M]`. */
  readonly reference: Float32Array;
  /** Sum of `e^(score - c) value`, `[blocks, M, m]`. */
  readonly weighted: Float32Array;
  /** Sum of `e^(score - c)`, `[blocks, M]`. */
  readonly sum: Float32Array;
  /** Where they were asked for: the part of each tile, in the order of `AttentionResult.tileSums`. */
  readonly tileSums?: Float32Array | undefined;
}

/** A native run of attention calls of one head: `blocks` query blocks and the tiles they read. */
export interface AttentionRun {
  /** M. */
  readonly rows: number;
  readonly blocks: number;
  /** `[blocks, M, m]`, scaled by 1/sqrt(m). */
  readonly query: Float32Array;
  /**
   * With one query block: any number of tiles per stack, summed. With several: one tile for each, or one that all read.
   * Unless sums are carried, the first stack gives the reference scores: every query should see a key in it.
   */
  readonly stacks: readonly KeyStack[];
  /** Open tiles that only one query block reads, for each of several in order; none if left out. */
  readonly further?: readonly (KeyStack | undefined)[];
  /** Single-head instances in this run: its tiles, each read by one query block. */
  readonly instances: number;
  /** Sums of an earlier run of the same query block. */
  readonly carried?: RunningSums | undefined;
  /** Whether the sums of each tile are wanted, too. */
  readonly apart?: boolean | undefined;
}

/** Tiles of one head, in any number and order, each read by one of some consecutive query blocks. */
export interface ChosenRun {
  /** M. */
  readonly rows: number;
  readonly blocks: number;
  /** `[blocks, M, m]`, scaled by 1/sqrt(m). */
  readonly query: Float32Array;
  /** c of each query, from its own tile `[blocks, M]`. */
  readonly reference: Float32Array;
  /** `[tiles, M, m]` each. */
  readonly key: Float32Array;
  readonly value: Float32Array;
  /** The query block of each tile `[tiles]`. */
  readonly of: Int32Array;
  /** What the weights of each tile are multiplied with in the sums of its query block, 0 in others `[blocks, tiles]`. */
  readonly scales: Float32Array;
}

/** Queries that are asked where their weights are. */
export interface MassesRun {
  /** M. */
  readonly rows: number;
  /** Query heads that share keys, and query blocks. */
  readonly heads: number;
  readonly blocks: number;
  /** `[heads, blocks, queries, m]`, scaled by 1/sqrt(m), and their positions `[blocks, queries]`. */
  readonly query: Float32Array;
  readonly positions: Float32Array;
  /** Whole key blocks from the first on `[keys, m]`; of queries' later keys nothing is seen. */
  readonly key: Float32Array;
  /** Scores of learned sinks `[heads]`, where there are any. */
  readonly sinks?: Float32Array | undefined;
}

/** Attention of a run: `out` `[blocks, M, m]`, `logNormaliser` `[blocks, M]`, natural logarithm. */
export interface AttentionResult {
  readonly out: Float32Array;
  readonly logNormaliser: Float32Array;
  /**
   * `log(sum)`: if it is `largestLogSum` or above, or NaN, a score lay too far above its reference and the row is
   * unreliable.
   */
  readonly logSum: Float32Array;
  /**
   * Where they were asked for: the part of each tile in the sums of its queries, relative to the same reference `[tiles, M]`: of each stack, with
   * several query blocks the tile of each; then of each query block's further tiles.
   */
  readonly tileSums?: Float32Array | undefined;
}

/** The small transformer: reads at most M tokens per call, receives its parameters with each call, and counts its calls. */
export interface Oracle {
  readonly calls: Readonly<CallCounter>;
  /** Rows of a token-wise run, where fewer than usual are faster. */
  readonly mostRows?: number | undefined;
  /** Attends within tiles. */
  attend(run: AttentionRun): Promise<AttentionResult>;
  /** Like `attend`, for a query block that has more tiles to read. */
  attendOn(run: AttentionRun): Promise<RunningSums>;
  /** Attends within each tile of one stack separately, each with its own reference: out `[tiles, M, m]`. Always exact. */
  attendApart(run: AttentionRun): Promise<AttentionResult>;
  /** Sums of tiles that were chosen, relative to the references of their queries; each tile is an instance. */
  attendChosen(run: ChosenRun): Promise<Pick<RunningSums, 'weighted' | 'sum'>>;
  /** Masses of key blocks, as means over the queries asked `[heads, blocks, keys / M]`. No call: nothing is attended. */
  tileMasses(run: MassesRun): Promise<Float32Array>;
  /**
   * Ends a round of independent attention calls: its instances count as calls of `perCall` = H'L' each (lemma 3.3), the
   * last one possibly partly filled.
   */
  closeRound(perCall: number): void;
  /** From here on, rotates for a sequence of so many tokens; tables that were kept of earlier positions are dropped. */
  rotateFor(tokens: number): void;
  /** Runs work whose calls are not counted: those of a check are not the run's. */
  uncounted<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Projects `rows` consecutive tokens, M per call, to `query` `[H, rows, m]`, `key` and `value` `[H_kv, rows, m]`.
   *
   * @param positions of the rows, one range after the other, for the rotary embedding
   */
  project(hidden: Float32Array, layer: LayerWeights, positions: readonly Range[]): Promise<Record<'query' | 'key' | 'value', Float32Array>>;
  /** Output projection and MLP of `rows` consecutive tokens, M per call: the next residual stream `[rows, d]`. */
  outputAndMlp(hidden: Float32Array, attended: Float32Array, layer: LayerWeights): Promise<Float32Array>;
  /** The small transformer as a black box of a given shape: its calls count as attention calls. */
  blackBox(shape: BlackBoxShape): BlackBox;
}
