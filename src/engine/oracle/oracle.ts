import type { BlackBoxShape } from '../../core/constructions/slice';
import type { BlackBox } from '../black-box/black-box';
import type { LayerWeights, LoadedModel } from '../model/load';

/** A batch of attention calls: operands `[calls, instances, M, m]`, queries scaled by 1/sqrt(m). */
export interface AttentionBatch {
  readonly calls: number;
  /** Single-head instances in each call: H'L'. */
  readonly instances: number;
  /** M. */
  readonly rows: number;
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  /** `[calls, 1 or instances, M, M]`, added to the scores; absent where every pair is visible. */
  readonly mask?: Float32Array;
}

/** Attention of a batch: `out` `[calls, instances, M, m]`, `logNormaliser` `[calls, instances, M]`, natural logarithm. */
export interface AttentionResult {
  readonly out: Float32Array;
  readonly logNormaliser: Float32Array;
}

/** Calls made so far. */
export interface CallCounter {
  attention: number;
  tokenwise: number;
  /** Those of the attention calls that a black box needed again, because a synthetic token underflowed. */
  retries: number;
  /** Native `run()` calls that carried them. */
  dispatches: number;
}

/**
 * The small transformer: reads at most M tokens a call, its parameters given with each call, and counts its calls.
 */
export interface Oracle {
  readonly calls: Readonly<CallCounter>;
  /** Attends within tiles. */
  attend(batch: AttentionBatch): Promise<AttentionResult>;
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

/** Losses in nats per row, of a run and of its baseline. */
export type PredictionComparison = Record<'loss' | 'baselineLoss' | 'divergence', Float32Array>;

/** Compares next-token distributions of two residual streams `[rows, d]` against the tokens that follow. */
export interface PredictionComparer {
  compare(model: LoadedModel, hidden: Float32Array, baseline: Float32Array, targets: BigInt64Array): Promise<PredictionComparison>;
}
