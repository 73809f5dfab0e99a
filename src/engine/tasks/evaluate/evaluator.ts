import { summariseWindow, type ScoredPosition, type WindowSummary } from '../../../core/evaluate/statistics';
import type { Scoring } from '../../../core/evaluate/units';
import type { Experiment } from '../../../core/evaluate/experiment';
import type { Plan } from '../../../core/plan/plan';
import { executorOf, passOf } from '../../attend/pass';
import { checkMemory } from '../../machine';
import { loadModel, type LoadedModel, type ModelFolder } from '../../read/model/load';
import { OnnxOracle } from '../../attend/tiles/onnx-oracle';
import { comparePredictions, OutputHead } from '../../attend/verify/predictions';
import { PhaseClock } from '../../attend/runtime/clock';
import { checkFloat16, openDevice, type Device } from '../../attend/runtime/provider';
import type { NeedleResult } from './results';

/** A window's last residual stream `[N, d]`, and what it took. */
export interface WindowRun {
  readonly hidden: Float32Array;
  /** Milliseconds from tokens in memory to the stream. */
  readonly wallMs: number;
  readonly calls: number;
}

/** Runs tokens through a model under plans, and scores what it predicts. One run at a time. */
export class Evaluator {
  private readonly head: OutputHead;
  /** By block size, each for one length of the sequence. */
  private readonly oracles = new Map<number, { readonly tokens: number; readonly oracle: OnnxOracle }>();

  private constructor(
    private readonly model: LoadedModel,
    private readonly device: Device,
    private readonly options: Pick<Experiment, 'executor' | 'precision'>,
  ) {
    this.head = new OutputHead(model, device);
  }

  /**
   * Loads a model and opens a device.
   *
   * @throws InputError where either cannot be had
   */
  static async open(folder: ModelFolder, options: Pick<Experiment, 'provider' | 'threads' | 'executor' | 'precision'>): Promise<Evaluator> {
    const device = await openDevice(options.provider, options.threads);
    if (options.precision === 'float16') {
      await checkFloat16(device);
    }
    return new Evaluator(await loadModel(folder), device, options);
  }

  /** Runs `tokens` `[N]` by a plan of N tokens. @throws CancelledError, and InputError for a plan that would not fit in memory */
  async run(tokens: Int32Array, plan: Plan, signal: AbortSignal, onProgress: (share: number) => void): Promise<WindowRun> {
    checkMemory(plan, 0);
    const oracle = await this.oracleFor(plan);
    const pass = passOf(executorOf(this.options, plan, this.device), this.options.precision);
    const before = oracle.calls.attention + oracle.calls.tokenwise;
    const start = performance.now();
    const hidden = await pass({ model: this.model, plan, tokens, oracle, clock: new PhaseClock(), signal, onProgress });
    return { hidden, wallMs: performance.now() - start, calls: oracle.calls.attention + oracle.calls.tokenwise - before };
  }

  /** Compares the scored rows of a window under a scenario with those of its baseline. */
  async compare(
    { from, to, targets, edges }: Extract<Scoring, { readonly kind: 'window' }>,
    hidden: Float32Array,
    baseline: Float32Array,
    signal: AbortSignal,
  ): Promise<WindowSummary> {
    const { width } = this.model.shape;
    const rows = (stream: Float32Array): Float32Array => stream.subarray(from * width, to * width);
    const positions: ScoredPosition[] = [];
    for await (const slice of comparePredictions(this.model, this.head, rows(hidden), rows(baseline), targets, signal)) {
      const { divergence, margin, loss, baselineLoss } = slice.compared;
      divergence.forEach((value, row) =>
        positions.push({
          position: from + slice.from + row,
          loss: loss?.[row],
          baselineLoss: baselineLoss?.[row],
          divergence: value,
          agrees: margin[row] === 0,
        }),
      );
    }
    return summariseWindow(positions, edges);
  }

  /** Probability and worst rank of an answer whose first token row `row` predicts. */
  async answer(hidden: Float32Array, row: number, answer: readonly number[]): Promise<NeedleResult> {
    const { width } = this.model.shape;
    const { loss, above } = await this.head.score(
      hidden.subarray(row * width, (row + answer.length) * width),
      BigInt64Array.from(answer, BigInt),
    );
    const logProbability = -loss.reduce((sum, value) => sum + value, 0);
    const rank = 1 + above.reduce((worst, value) => Math.max(worst, value), 0);
    return { logProbability: Number.isFinite(logProbability) ? logProbability : null, rank: Number.isFinite(rank) ? rank : null };
  }

  async release(): Promise<void> {
    await this.head.release();
    await Promise.all([...this.oracles.values()].map(({ oracle }) => oracle.release()));
  }

  /** Keeps one oracle for each block size: rotary embeddings may depend on the length. */
  private async oracleFor({ oracle: { inputLength }, tokens }: Plan): Promise<OnnxOracle> {
    const known = this.oracles.get(inputLength);
    if (known?.tokens === tokens) {
      return known.oracle;
    }
    await known?.oracle.release();
    const oracle = new OnnxOracle(this.model, inputLength, this.device, tokens);
    this.oracles.set(inputLength, { tokens, oracle });
    return oracle;
  }
}
