import { InputError } from '../../../core/errors';
import type { SimulationOptions } from '../../../core/options/table';
import { touchedPositions } from '../../../core/scenario/touched';
import { isNativePlan, makePlan, nativePlan, type Plan } from '../../../core/plan/plan';
import type { Phase } from '../../../core/report/phases';
import { isLocal, type Reach, reachesOf } from '../../../core/scenario/scenario';
import { cutPrompt, lengthOf, ownRows, type PromptShard, readsOf, tokensIn } from '../../../core/shards/cut';
import type { ShardQuality, ShardResult } from '../../../core/shards/report';
import { nativeScenario } from '../../../core/shapes';
import { wholeStream } from '../../attend/forward';
import { deviceFor, executorOf, passOf } from '../../attend/pass';
import { PhaseClock } from '../../attend/runtime/clock';
import { type Device, openDevice } from '../../attend/runtime/provider';
import { OnnxOracle } from '../../attend/tiles/onnx-oracle';
import { FidelityCheck } from '../../attend/verify/fidelity';
import { lostRowsOf } from '../../attend/verify/prediction-check';
import { OutputHead } from '../../attend/verify/predictions';
import { qualityObstacle, sumLosses, sumQuality } from '../../attend/verify/quality';
import { interruptible } from '../../interruptible';
import { PeakWatch } from '../../memory';
import { type LoadedModel, loadModel, type ModelFolder } from '../../read/model/load';
import { measuredCalls } from '../simulate';

/** A prompt's plan with its token ids. */
export interface ShardablePrompt {
  /** Of the whole prompt. */
  readonly plan: Plan;
  /** `[N]`. */
  readonly tokens: Int32Array;
}

/** Listeners of a shard that is run. */
interface ShardListeners {
  readonly signal: AbortSignal;
  /** @param share of the shard, from 0 to 1 */
  readonly onProgress: (share: number, phase: Phase, message: string) => void;
}

/** The last residual stream of a shard's own rows `[rows, d]`, and what it took. */
interface ShardStream {
  readonly hidden: Float32Array;
  readonly wallMs: number;
  readonly calls: ShardResult['calls'];
}

/** The shards of a planned prompt. @throws InputError where a layer is not local, or shards would read the whole prompt */
export function shardsOf({ tokens, scenario, model, restarts }: Plan, parts: number): PromptShard[] {
  if (restarts !== undefined) {
    throw new InputError(
      '--reset-positions is for prompts that are run whole, and shards keep the positions of the prompt; leave out one of the two.',
    );
  }
  return cutPrompt(tokens, parts, reachesOf(scenario, model.layers));
}

/** The plan of the tokens that a shard reads, as one sequence. */
export function shardPlan(plan: Plan, reads: PromptShard['reads']): Plan {
  const { model, scenario, oracle, construction, scoreBytes } = plan;
  return interruptible(() => makePlan({ tokens: lengthOf(reads), model, scenario, oracle, construction, scoreBytes }));
}

/**
 * How far the layers of the model's own attention see, which shards are held against; undefined where it is not local, so
 * that no shard can have it.
 */
export function baselineReaches({ model }: Pick<Plan, 'model'>): readonly Reach[] | undefined {
  const own = nativeScenario(model);
  return isLocal(own) ? reachesOf(own, model.layers) : undefined;
}

/** Whether shards are held against nothing, because the model's own attention is not local. */
export function isAlone(plan: Plan): boolean {
  return !isNativePlan(plan) && baselineReaches(plan) === undefined;
}

/** Runs the shards of one prompt, one at a time. Only what one of them needs is in memory, beside the model. */
export class ShardRunner {
  private readonly head: OutputHead;

  /** Loads a model, and opens the device of these options. @throws InputError */
  static async open(folder: ModelFolder, prompt: ShardablePrompt, options: SimulationOptions): Promise<ShardRunner> {
    const device = await openDevice(options.provider, options.threads);
    const model = await loadModel(folder);
    return new ShardRunner(model, await deviceFor(device, options, model), prompt, options);
  }

  constructor(
    private readonly model: LoadedModel,
    private readonly device: Device,
    private readonly prompt: ShardablePrompt,
    private readonly options: Pick<SimulationOptions, 'executor' | 'precision' | 'verify' | 'quality' | 'score'>,
  ) {
    this.head = new OutputHead(model, device);
  }

  /** Runs a shard, checks its own rows and scores their predictions. @throws InputError as a whole run does; CancelledError */
  async run(shard: PromptShard, listeners: ShardListeners): Promise<ShardResult> {
    const own = shardPlan(this.prompt.plan, shard.reads);
    const watch = new PeakWatch();
    const check = this.checkOf(shard, own, listeners.signal);
    try {
      const result = await this.runChecked(shard, own, check, listeners);
      return { ...result, peakRssBytes: watch.peak().bytes };
    } finally {
      await check?.release();
      watch.end();
    }
  }

  /** What checks a shard's own rows, by their positions in the prompt. */
  private checkOf(shard: PromptShard, plan: Plan, signal: AbortSignal): FidelityCheck | undefined {
    const { verify, precision } = this.options;
    return verify === 'none'
      ? undefined
      : FidelityCheck.ofRun(
          plan,
          verify,
          { tokens: this.prompt.tokens, model: this.model, device: this.device, precision, signal },
          { shard, own: ownRows(shard) },
        );
  }

  private async runChecked(
    shard: PromptShard,
    own: Plan,
    check: FidelityCheck | undefined,
    { signal, onProgress }: ShardListeners,
  ): Promise<Omit<ShardResult, 'peakRssBytes'>> {
    const { plan } = this.prompt;
    const { hidden, wallMs, calls } = await this.stream(
      shard,
      own,
      { signal, onProgress: (share, ...rest) => onProgress(0.5 * share, ...rest) },
      check,
    );
    const scored = this.options.quality && qualityObstacle(plan, this.model, this.options.score) === null;
    const quality = scored
      ? await this.score(shard, hidden, { signal, onProgress: (share, ...rest) => onProgress(0.5 + 0.5 * share, ...rest) }, check)
      : null;
    const { provider, name: device, threads, activations } = this.device;
    const { precision } = this.options;
    const executor = executorOf(this.options, plan, this.device);
    const found =
      check === undefined ? { fidelity: null, lostRows: lostRowsOf(hidden, this.model.shape.width) } : { fidelity: check.result() };
    return { provider, device, threads, executor, precision, ...(activations && { activations }), wallMs, calls, ...found, quality };
  }

  /**
   * The last residual stream of a shard's own rows.
   *
   * @param plan of the tokens that it reads
   */
  async stream(shard: PromptShard, plan: Plan, { signal, onProgress }: ShardListeners, check?: FidelityCheck): Promise<ShardStream> {
    const { model, device, options, prompt } = this;
    const clock = new PhaseClock();
    // Rotary tables are kept by position: an oracle for the whole prompt would collect those of all shards.
    const oracle = new OnnxOracle(model, plan.oracle.inputLength, device, prompt.plan.tokens);
    try {
      const start = performance.now();
      const pass = passOf(
        executorOf(options, plan, device),
        options.precision,
      )({
        model,
        plan,
        tokens: tokensIn(prompt.tokens, shard.reads),
        positions: { ranges: shard.reads, tokens: prompt.plan.tokens },
        oracle,
        clock,
        signal,
        onProgress,
        inspect: check && ((...given) => clock.time('verify', () => check.inspect(...given))),
        probe: check?.probe,
      });
      const hidden = await wholeStream(pass, plan);
      clock.timeSync('verify', () => check?.inspectStream(hidden));
      const wallMs = performance.now() - start - clock.phases.verify;
      const { width } = model.shape;
      const { from, to } = ownRows(shard);
      return { hidden: hidden.subarray(from * width, to * width), wallMs, calls: measuredCalls(oracle, plan) };
    } finally {
      await oracle.release();
    }
  }

  async release(): Promise<void> {
    await this.head.release();
  }

  /** Scores what a shard's own rows predict: against the model's own attention, where that is local too. */
  private async score(
    { rows }: PromptShard,
    hidden: Float32Array,
    { signal, onProgress }: ShardListeners,
    check: FidelityCheck | undefined,
  ): Promise<ShardQuality> {
    const { model, head, prompt } = this;
    const { tokens } = prompt.plan;
    const scorer = {
      ...{ model, head, score: this.options.score, tokens, signal, check: check?.predictions },
      touched: interruptible(() => touchedPositions(prompt.plan.scenario, model.shape, tokens)),
      onProgress: (share: number) => onProgress(0.9 + 0.1 * share, 'quality', 'comparing predictions'),
    };
    // The last token of the prompt has no next one.
    const predictions = { first: rows.from, targets: prompt.tokens.subarray(rows.from + 1, rows.to + 1), hidden };
    if (isNativePlan(prompt.plan)) {
      return { kind: 'compared', sums: await sumQuality(scorer, predictions, hidden) };
    }
    const reaches = baselineReaches(prompt.plan);
    if (reaches === undefined) {
      return { kind: 'own', sums: await sumLosses(scorer, predictions) };
    }
    const reads = readsOf(rows, reaches, tokens);
    const plan = interruptible(() => nativePlan({ ...prompt.plan, tokens: lengthOf(reads) }));
    const baseline = await this.stream({ rows, reads }, plan, {
      signal,
      onProgress: (share, _phase, message) => onProgress(0.9 * share, 'quality', `baseline, ${message}`),
    });
    return { kind: 'compared', sums: await sumQuality(scorer, predictions, baseline.hidden) };
  }
}
