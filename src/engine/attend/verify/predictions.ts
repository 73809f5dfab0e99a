import { comparePredictionsGraph } from '../graphs/predictions';
import { logitsGraph, scoreTargetsGraph } from '../../graphs/score-targets';
import type { LoadedModel } from '../../read/model/load';
import { shapesOf } from '../../read/model/weights';
import type { Device } from '../runtime/provider';
import { SessionPool, weightOperands } from '../../runtime/session-pool';

/** Distributions of a run beside those of its baseline, a number a row. */
export interface PredictionComparison {
  /** KL(baseline || run) in nats. */
  readonly divergence: Float32Array;
  /** 0 where both have the same most likely token, negative where not. */
  readonly margin: Float32Array;
  /** Negative log-likelihoods of the tokens that follow, in nats; absent where none were given. */
  readonly loss?: Float32Array;
  readonly baselineLoss?: Float32Array;
}

/** How well rows predict given tokens, a number a row. */
export interface TargetScores {
  /** Negative log-likelihood in nats. */
  readonly loss: Float32Array;
  /** Tokens that are more likely. */
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

  /** Compares a run with its baseline. @param targets the tokens that follow, one a row, where the model predicts the next */
  async compare(hidden: Float32Array, baseline: Float32Array, targets: BigInt64Array | undefined): Promise<PredictionComparison> {
    const { head, shape } = this.model;
    const rows = hidden.length / shape.width;
    const session = await this.sessions.get(`compare ${targets !== undefined}`, () =>
      comparePredictionsGraph(this.model, shapesOf(head), targets !== undefined),
    );
    return session.run<keyof PredictionComparison>({
      hidden: { data: hidden, shape: [rows, shape.width] },
      baseline: { data: baseline, shape: [rows, shape.width] },
      ...weightOperands(head),
      ...(targets && { target: { data: targets, shape: [rows, 1] } }),
    });
  }

  /** Scores given tokens, one a row. */
  async score(hidden: Float32Array, targets: BigInt64Array): Promise<TargetScores> {
    const { head, shape } = this.model;
    const session = await this.sessions.get('score', () => scoreTargetsGraph(this.model, shapesOf(head)));
    return session.run<keyof TargetScores>({
      hidden: { data: hidden, shape: [targets.length, shape.width] },
      ...weightOperands(head),
      target: { data: targets, shape: [targets.length, 1] },
    });
  }

  /** Logits `[rows, vocabulary]`. */
  async logits(hidden: Float32Array): Promise<Float32Array> {
    const { head, shape } = this.model;
    const session = await this.sessions.get('logits', () => logitsGraph(this.model, shapesOf(head)));
    const { logits } = await session.run<'logits'>({
      hidden: { data: hidden, shape: [hidden.length / shape.width, shape.width] },
      ...weightOperands(head),
    });
    return logits;
  }

  async release(): Promise<void> {
    await this.sessions.release();
  }
}
