import { summariseWindow, type ScoredPosition, type WindowSummary } from '../../../core/evaluate/statistics';
import type { Scoring } from '../../../core/evaluate/units';
import type { Experiment } from '../../../core/evaluate/experiment';
import type { Activations, Baseline } from '../../../core/options/table';
import type { Plan } from '../../../core/plan/plan';
import { memoryUseOf } from '../../../core/predict/memory';
import type { Fidelity } from '../../../core/report/report';
import type { Touched } from '../../../core/scenario/touched';
import { wholeStream } from '../../attend/forward';
import { deviceFor, executorOf, passOf } from '../../attend/pass';
import { checkMemory, processBytes } from '../../memory';
import { loadModel, type LoadedModel, type ModelFolder } from '../../read/model/load';
import { OnnxOracle } from '../../attend/tiles/onnx-oracle';
import { denseForward } from '../../attend/verify/dense-forward';
import { FidelityCheck } from '../../attend/verify/fidelity';
import type { PredictionCheck } from '../../attend/verify/prediction-check';
import { comparePredictions, OutputHead } from '../../attend/verify/predictions';
import { PhaseClock } from '../../attend/runtime/clock';
import { type Device, openDevice } from '../../attend/runtime/provider';
import type { RetrievalResult } from './results';

/** A window's last residual stream `[N, d]`, and what it took. */
export interface WindowRun {
  readonly hidden: Float32Array;
  /** Milliseconds from tokens in memory to the stream. */
  readonly wallMs: number;
  readonly calls: number;
  /** Of the run alone; undefined where a dense operator made the stream: that is what others are held against. */
  readonly fidelity?: Fidelity | undefined;
  /** What its predictions are checked with, once they are scored. */
  readonly predictions?: PredictionCheck | undefined;
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
    /** Resident memory before the model was loaded. */
    private readonly processBytes: number,
  ) {
    this.head = new OutputHead(model, device);
  }

  /**
   * Loads a model and opens a device.
   *
   * @throws InputError where either cannot be had
   */
  static async open(
    folder: ModelFolder,
    options: Pick<Experiment, 'provider' | 'threads' | 'executor' | 'precision'> & { readonly activations?: Activations | undefined },
  ): Promise<Evaluator> {
    const device = await openDevice(options.provider, options.threads);
    const before = processBytes();
    const model = await loadModel(folder);
    return new Evaluator(
      model,
      await deviceFor(device, { ...options, activations: options.activations ?? 'float32', verify: 'rows' }, model),
      options,
      before,
    );
  }

  /** Runs `tokens` `[N]` by a plan of N tokens. @throws CancelledError, and InputError for a plan that would not fit in memory */
  async run(tokens: Int32Array, plan: Plan, signal: AbortSignal, onProgress: (share: number) => void): Promise<WindowRun> {
    this.checkFits(plan, 'own');
    const oracle = await this.oracleFor(plan);
    const pass = passOf(executorOf(this.options, plan, this.device), this.options.precision);
    const before = oracle.calls.attention + oracle.calls.tokenwise;
    const check = FidelityCheck.ofRun(plan, 'rows', {
      tokens,
      model: this.model,
      device: this.device,
      precision: this.options.precision,
      signal,
    });
    try {
      const clock = new PhaseClock();
      const start = performance.now();
      const rows = pass({
        model: this.model,
        plan,
        tokens,
        oracle,
        clock,
        signal,
        onProgress,
        inspect: (...given) => clock.time('verify', () => check.inspect(...given)),
        probe: check.probe,
      });
      const hidden = await wholeStream(rows, plan);
      clock.timeSync('verify', () => check.inspectStream(hidden));
      const wallMs = performance.now() - start - clock.phases.verify;
      const calls = oracle.calls.attention + oracle.calls.tokenwise - before;
      return { hidden, wallMs, calls, fidelity: check.result(), predictions: check.predictions };
    } finally {
      await check.release();
    }
  }

  /** The same by dense attention, under the scenario of a plan. @throws CancelledError, and InputError where it would not fit in memory */
  async runDense(tokens: Int32Array, plan: Plan, signal: AbortSignal, onProgress: (share: number) => void): Promise<WindowRun> {
    this.checkFits(plan, 'dense');
    const oracle = await this.oracleFor(plan);
    const before = oracle.calls.tokenwise;
    const start = performance.now();
    const hidden = await denseForward({ model: this.model, device: this.device, plan, tokens, oracle, signal, onProgress });
    return { hidden, wallMs: performance.now() - start, calls: oracle.calls.tokenwise - before };
  }

  /**
   * Compares the scored rows of a window under a scenario with those of its baseline, and checks one of them.
   *
   * @param touched of all rows of the window
   */
  async compare(
    { from, to, targets, edges }: Extract<Scoring, { readonly kind: 'window' }>,
    { hidden, predictions, touched }: Pick<WindowRun, 'hidden' | 'predictions'> & { readonly touched: Touched },
    baseline: Float32Array,
    signal: AbortSignal,
  ): Promise<WindowSummary> {
    const { width } = this.model.shape;
    const rows = (stream: Float32Array): Float32Array => stream.subarray(from * width, to * width);
    const positions: ScoredPosition[] = [];
    const drawn = predictions?.draw(to - from);
    for await (const slice of comparePredictions(this.model, this.head, rows(hidden), rows(baseline), targets, signal)) {
      const { divergence, margin, loss, baselineLoss } = slice.compared;
      divergence.forEach((value, row) =>
        positions.push({
          position: from + slice.from + row,
          loss: loss?.[row],
          baselineLoss: baselineLoss?.[row],
          divergence: value,
          agrees: margin[row] === 0,
          touched: typeof touched === 'string' ? undefined : touched[from + slice.from + row] === 1,
        }),
      );
      const row = (drawn ?? -1) - slice.from;
      if (row >= 0 && row < slice.rows) {
        const position = from + slice.from + row;
        const [own, other] = [hidden, baseline].map((stream) => stream.subarray(position * width, (position + 1) * width));
        await predictions?.inspect(this.head, position, own, other, {
          ...(targets && { loss: loss?.[row] ?? NaN, baselineLoss: baselineLoss?.[row] }),
          divergence: divergence[row],
        });
      }
    }
    return summariseWindow(positions, edges);
  }

  /**
   * Probability and worst rank of an answer whose first token row `row` predicts; NaN, both, where one of them is no number. The
   * loss of one of its tokens is checked.
   */
  async answer(
    { hidden, predictions }: Pick<WindowRun, 'hidden' | 'predictions'>,
    row: number,
    answer: readonly number[],
  ): Promise<RetrievalResult> {
    const { width } = this.model.shape;
    const { loss, above } = await this.head.score(
      hidden.subarray(row * width, (row + answer.length) * width),
      BigInt64Array.from(answer, BigInt),
    );
    const drawn = predictions?.draw(answer.length);
    if (drawn !== undefined) {
      const own = hidden.subarray((row + drawn) * width, (row + drawn + 1) * width);
      // The last token of an answer is not read.
      await predictions?.inspect(this.head, row + drawn, own, undefined, { loss: loss[drawn] }, answer[drawn]);
    }
    const logProbability = -loss.reduce((sum, value) => sum + value, 0);
    // Nothing compares above what is not a number, which would rank first.
    const rank = Number.isNaN(logProbability) ? NaN : 1 + above.reduce((worst, value) => Math.max(worst, value), 0);
    return { logProbability, rank };
  }

  async release(): Promise<void> {
    await this.head.release();
    await Promise.all([...this.oracles.values()].map(({ oracle }) => oracle.release()));
  }

  /** @throws InputError for a window that would not fit in memory */
  private checkFits(plan: Plan, baseline: Baseline): void {
    const { provider, activations = 'float32' } = this.device;
    const options = { ...this.options, activations, verify: 'rows', quality: true, baseline } as const;
    checkMemory(plan, memoryUseOf(plan, options, { provider, processBytes: this.processBytes }), 0, { length: '--context', whole: true });
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
