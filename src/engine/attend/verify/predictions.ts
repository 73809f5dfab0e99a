import { logitRows } from '../../../core/predict/memory';
import type { Range } from '../../../core/scenario/scenario';
import type { LoadedModel } from '../../read/model/load';
import { comparePredictionsGraph, logitsGraph, scoreTargetsGraph } from '../graphs/predictions';
import { throwIfCancelled } from '../runtime/clock';
import type { Device } from '../runtime/provider';
import { SessionPool } from '../runtime/session';

/** The predictions of a run compared with its baseline, one number per row. */
export interface PredictionComparison {
  /** KL(baseline || run) in nats; what rounding makes of a divergence of 0 is at least 0. */
  readonly divergence: Float32Array;
  /** 0 if both have the same most likely token, otherwise negative. */
  readonly margin: Float32Array;
  /** Negative log-likelihoods of the following tokens, in nats; absent if none were given. */
  readonly loss?: Float32Array;
  readonly baselineLoss?: Float32Array;
}

/** How well rows predict given tokens, one number per row. */
interface TargetScores {
  /** Negative log-likelihood in nats. */
  readonly loss: Float32Array;
  /** Number of more likely tokens. */
  readonly above: Float32Array;
}

/** The output head of a model: residual streams `[rows, d]`, before the final norm, to predictions. */
export class OutputHead {
  private readonly sessions: SessionPool;

  constructor(
    private readonly model: LoadedModel,
    device: Device,
  ) {
    this.sessions = new SessionPool(device);
  }

  /** Keeps the weights that are read from files: see `SessionPool`. */
  keepWeights(): void {
    this.sessions.keepWeights();
  }

  /**
   * Compares a run with its baseline. @param targets the following tokens, one per row, if the model predicts the next
   * token
   */
  async compare(hidden: Float32Array, baseline: Float32Array, targets: BigInt64Array | undefined): Promise<PredictionComparison> {
    const { head, shape } = this.model;
    const rows = hidden.length / shape.width;
    const { session, operands } = await this.sessions.withWeights(`compare ${targets !== undefined}`, head, rows, (given) =>
      comparePredictionsGraph(this.model, given, targets !== undefined),
    );
    const compared = await session.run<keyof PredictionComparison>({
      hidden: { data: hidden, shape: [rows, shape.width] },
      baseline: { data: baseline, shape: [rows, shape.width] },
      ...operands,
      ...(targets && { target: { data: targets, shape: [rows, 1] } }),
    });
    // A divergence cannot be negative; NaN stays NaN.
    return { ...compared, divergence: compared.divergence.map((value) => Math.max(0, value)) };
  }

  /** Scores given tokens, one per row. */
  async score(hidden: Float32Array, targets: BigInt64Array): Promise<TargetScores> {
    const { head, shape } = this.model;
    const { session, operands } = await this.sessions.withWeights('score', head, targets.length, (given) =>
      scoreTargetsGraph(this.model, given),
    );
    return session.run<keyof TargetScores>({
      hidden: { data: hidden, shape: [targets.length, shape.width] },
      ...operands,
      target: { data: targets, shape: [targets.length, 1] },
    });
  }

  /** Logits `[rows, vocabulary]`. */
  async logits(hidden: Float32Array): Promise<Float32Array> {
    const { head, shape } = this.model;
    const rows = hidden.length / shape.width;
    const { session, operands } = await this.sessions.withWeights('logits', head, rows, (given) => logitsGraph(this.model, given));
    const { logits } = await session.run<'logits'>({
      hidden: { data: hidden, shape: [rows, shape.width] },
      ...operands,
    });
    return logits;
  }

  async release(): Promise<void> {
    await this.sessions.release();
  }
}

/** Compared rows of two residual streams. */
interface ComparedSlice {
  /** The first row. */
  readonly from: number;
  readonly rows: number;
  readonly compared: PredictionComparison;
}

/**
 * Compares the predictions of two residual streams `[rows, d]`, slice by slice, so that logits exist for one slice only.
 *
 * @param targets the following token of each row, `[rows]`, if the model predicts the next token
 * @throws CancelledError between two slices
 */
export async function* comparePredictions(
  model: LoadedModel,
  head: OutputHead,
  hidden: Float32Array,
  baseline: Float32Array,
  targets: Int32Array | undefined,
  signal: AbortSignal,
): AsyncGenerator<ComparedSlice> {
  const { width } = model.shape;
  for (const { from, to } of slices(model, targets?.length ?? hidden.length / width, signal)) {
    const rows = (stream: Float32Array): Float32Array => stream.subarray(from * width, to * width);
    const compared = await head.compare(rows(hidden), rows(baseline), targets && BigInt64Array.from(targets.subarray(from, to), BigInt));
    yield { from, rows: to - from, compared };
  }
}

/** Scores the following token of each row of a residual stream `[rows, d]`, in the same slices. @throws CancelledError */
export async function* scorePredictions(
  model: LoadedModel,
  head: OutputHead,
  hidden: Float32Array,
  targets: Int32Array,
  signal: AbortSignal,
): AsyncGenerator<Omit<ComparedSlice, 'compared'> & TargetScores> {
  const { width } = model.shape;
  for (const { from, to } of slices(model, targets.length, signal)) {
    const scores = await head.score(hidden.subarray(from * width, to * width), BigInt64Array.from(targets.subarray(from, to), BigInt));
    yield { from, rows: to - from, ...scores };
  }
}

/** Rows `[0, total)` in slices whose logits fit in memory. @throws CancelledError between two of them */
function* slices({ shape }: LoadedModel, total: number, signal: AbortSignal): Generator<Range> {
  const slice = logitRows(shape.vocabulary);
  for (let from = 0; from < total; from += slice) {
    throwIfCancelled(signal);
    yield { from, to: Math.min(total, from + slice) };
  }
}
