import type { SimulationOptions } from '../../core/options/table';
import { seedOf } from '../../core/math/random';
import { isNativePlan, isNativeScenario, isUniform, nativePlan, type Plan } from '../../core/plan/plan';
import { segmentsOf, wholeRun } from '../../core/plan/segments';
import { memoryOf, type MemoryUse, memoryUseOf } from '../../core/predict/memory';
import type { OnProgress, Phase } from '../../core/report/phases';
import type { MeasuredCalls, RunReport } from '../../core/report/report';
import { runVerdict } from '../../core/report/verdict';
import { isSampled, tileRuleOf } from '../../core/scenario/scenario';
import { touchedPositions } from '../../core/scenario/touched';
import { type ForwardPass, joinedRows, wholeStream } from '../attend/forward';
import { deviceFor, executorOf, passOf } from '../attend/pass';
import { PhaseClock } from '../attend/runtime/clock';
import { type Device, openPlannedDevice } from '../attend/runtime/provider';
import { checkLength } from '../attend/tiles/embed';
import { OnnxOracle } from '../attend/tiles/onnx-oracle';
import { spreadRows } from '../../core/math/spread-rows';
import { ChoiceCheck } from '../attend/verify/choice-check';
import { checkBaseline, denseForward } from '../attend/verify/dense-forward';
import { FidelityCheck } from '../attend/verify/fidelity';
import { lostRowsOf } from '../attend/verify/prediction-check';
import { OutputHead } from '../attend/verify/predictions';
import { checkScore, measureQuality, runObstacle, type Scorer } from '../attend/verify/quality';
import { SamplingCheck } from '../attend/verify/sampling';
import { describeEnvironment } from '../machine';
import { checkMemory, PeakWatch, runMemory } from '../memory';
import { type LoadedModel, loadModel, runConfig } from '../read/model/load';
import { checkWeights } from '../read/model/open-tensors';
import type { Prompt } from '../read/prompt';
import { checkRunnable } from '../read/tokenizer/tokenizer';
import { interruptible } from '../interruptible';
import { type Places, planDocument, type PlannedPrompt, planPrompt, scoredText, type TokenizedPrompt } from './plan';

/** What surrounds a simulation. */
export interface SimulationContext extends Places {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** Parts of a run, weighed by what they usually take, so that progress is one bar. */
interface ProgressShares {
  readonly run: number;
  readonly baseline: number;
  readonly quality: number;
}

/**
 * Runs a prompt through the small transformer, end to end, and proves the result.
 *
 * @throws InputError for input that is refused before the run; CancelledError once the signal is aborted
 */
export async function simulate(prompt: Prompt, options: SimulationOptions, context: SimulationContext): Promise<RunReport> {
  checkBaseline(options);
  const planned = await planPrompt(prompt, options, context);
  await checkModel(planned);
  checkScore(options, planned.model.config, planned.plan.tokens);
  const device = await openPlannedDevice(options, planned.calibration);
  const watch = new PeakWatch();
  try {
    const processBytes = watch.startBytes;
    checkMemory(planned.plan, runUse(planned, options, device, processBytes), options.memoryLimit);
    const model = await loadModel(planned.model);
    return await runPlanned(planned, options, { model, device, baseline: new BaselineStream(), watch, processBytes, ...context });
  } finally {
    watch.end();
  }
}

/** Refuses a model that can be planned only, and a prompt that it has no positions for. @throws InputError */
export async function checkModel({ model, tokenizer, tokens }: TokenizedPrompt): Promise<void> {
  checkRunnable(model, tokenizer.source);
  checkLength(tokens.length, { name: model.name, ...model.config });
  await checkWeights(model.folder);
}

/**
 * The last residual stream `[N, d]` of a prompt under the model's own attention, which runs that would compute it alike share.
 * The latest one is kept.
 */
export class BaselineStream {
  private kept: { readonly key: string; readonly hidden: Float32Array } | undefined;

  /** The stream by this key. */
  get(key: string): Float32Array | undefined {
    return this.kept?.key === key ? this.kept.hidden : undefined;
  }

  keep(key: string, hidden: Float32Array): void {
    this.kept = { key, hidden };
  }
}

/** What decides the memory of a planned run. */
export function runUse(
  { plan, model }: Pick<PlannedPrompt, 'plan' | 'model'>,
  options: SimulationOptions,
  { provider }: Pick<Device, 'provider'>,
  processBytes: number,
): MemoryUse {
  const scored = runObstacle(plan, model.config, options) === null;
  return { ...memoryUseOf(plan, options, { provider, processBytes }), scored };
}

/** What a planned run needs: an open device, weights in memory, and what earlier runs of the same prompt have left. */
interface RunContext extends Pick<SimulationContext, 'signal' | 'onProgress'> {
  readonly model: LoadedModel;
  readonly device: Device;
  readonly baseline: BaselineStream;
  /** Sees the memory of this run alone. */
  readonly watch: PeakWatch;
  /** Resident memory before the model was loaded. */
  readonly processBytes: number;
  /** What looks at the run while it goes on. Its time is not the run's. */
  readonly observer?: RunObserver | undefined;
}

/** What looks at a run. */
export type RunObserver = Partial<Pick<ForwardPass, 'onTileMasses' | 'inspect'>> & Pick<Scorer, 'onCompared'>;

/** Runs a planned prompt. @throws InputError for an executor or a precision that the plan cannot have; CancelledError */
export async function runPlanned(planned: PlannedPrompt, options: SimulationOptions, context: RunContext): Promise<RunReport> {
  const { plan, tokens } = planned;
  const { model, observer } = context;
  const obstacle = runObstacle(plan, model, options);
  const executor = executorOf(options, plan, context.device);
  const device = await deviceFor(context.device, options, model);
  const dense = options.baseline === 'dense';
  const isBaseline = isNativePlan(plan) && !dense;
  const baselineKey = keyOfBaseline(plan, device, executor, options);
  const needsBaseline = obstacle === null && !isBaseline && context.baseline.get(baselineKey) === undefined;
  const shares: ProgressShares = { run: needsBaseline ? 0.45 : 0.9, baseline: needsBaseline ? 0.45 : 0, quality: 0.1 };
  const progress = progressFrom(context.onProgress);

  const clock = new PhaseClock();
  const pass = passOf(executor, options.precision);
  const segments = executor === 'tiles' ? segmentsOf(plan) : wholeRun(plan);
  const oracle = new OnnxOracle(model, plan.oracle.inputLength, device, plan.tokens);
  const head = new OutputHead(model, device);
  const check =
    options.verify === 'none'
      ? undefined
      : FidelityCheck.ofRun(plan, options.verify, { tokens, model, device, precision: options.precision, signal: context.signal });
  const choice = check && tileRuleOf(plan.scenario) && new ChoiceCheck(plan, seedOf(tokens), context.signal);
  try {
    const sampling = check && samplingCheck(planned, options, device, context.signal);
    const start = performance.now();
    const rows = pass({
      model,
      plan,
      tokens,
      segments,
      oracle,
      clock,
      signal: context.signal,
      onProgress: (fraction, phase, message) => progress(fraction * shares.run, phase, message),
      inspect:
        (check ?? observer?.inspect) &&
        ((layer, tensors, ...attended) =>
          clock.time('verify', async () => {
            await check?.inspect(layer, tensors, ...attended);
            await sampling?.check.inspect(layer, tensors);
            await choice?.inspect(layer, tensors, attended[0]);
            await observer?.inspect?.(layer, tensors, ...attended);
          })),
      probe: check?.probe,
      onTileMasses: observer?.onTileMasses,
    });
    // Only predictions need the stream of all tokens at once.
    let hidden: Float32Array = new Float32Array();
    let lost = 0;
    for await (const part of rows) {
      if (check === undefined) {
        lost += lostRowsOf(part.rows, model.shape.width);
      } else {
        clock.timeSync('verify', () => check.inspectStream(part.rows, part.from));
      }
      hidden = obstacle === null ? joinedRows(hidden, part, plan) : hidden;
    }
    await sampling?.oracle.release();
    const wallMs = performance.now() - start - clock.phases.verify;
    const lostRows = check === undefined ? lost : undefined;
    const calls = measuredCalls(oracle, plan);
    if (isBaseline && obstacle === null) {
      context.baseline.keep(baselineKey, hidden);
    }

    const quality =
      obstacle !== null
        ? null
        : await clock.time('quality', async () => {
            if (needsBaseline) {
              const onBaseline = (fraction: number, message: string): void =>
                progress(shares.run + fraction * shares.baseline, 'quality', `baseline, ${message}`);
              const given = { model, plan: nativePlan(plan), tokens, oracle, signal: context.signal };
              const own = dense
                ? await denseForward({ ...given, device, onProgress: onBaseline })
                : await wholeStream(
                    pass({
                      ...given,
                      clock: new PhaseClock(),
                      onProgress: (fraction, _phase, message) => onBaseline(fraction, message),
                    }),
                    given.plan,
                  );
              context.baseline.keep(baselineKey, own);
            }
            const baseline = context.baseline.get(baselineKey) ?? hidden;
            const measured = await measureQuality(
              {
                ...{ model, head, score: options.score, tokens: tokens.length, signal: context.signal, check: check?.predictions },
                touched: interruptible(() => touchedPositions(plan.scenario, model.shape, tokens.length)),
                onProgress: (fraction) =>
                  progress(shares.run + shares.baseline + fraction * shares.quality, 'quality', 'comparing predictions'),
                onCompared: observer?.onCompared,
              },
              { tokens, hidden, baseline },
              scoredText(planned, options.score),
            );
            return { ...measured, baselineBy: options.baseline, ownBaseline: isBaseline };
          });
    progress(1, 'quality', 'done');
    const fidelity = check?.result() ?? null;
    const chosen = choice?.result();
    const sampled = sampling?.check.result() ?? null;
    const native = isNativeScenario(plan);
    const memory = memoryOf(plan, runUse(planned, options, device, context.processBytes));
    const peak = context.watch.peak();
    return {
      ...planDocument(planned, memory),
      run: {
        provider: device.provider,
        device: device.name,
        threads: device.threads,
        executor,
        precision: options.precision,
        ...(device.activations && { activations: device.activations }),
        ...(segments.steps.length > 1 && { segments: segments.steps.length }),
        wallMs,
        phases: { ...clock.phases, tokenize: planned.tokenizeMs },
        layers: clock.layers,
        calls,
        peakRssBytes: peak.bytes,
        memory: runMemory(memory, peak),
      },
      fidelity,
      sampling: sampled,
      ...(chosen && { choice: chosen }),
      quality,
      qualityNote: obstacle,
      verdict: runVerdict({ ...plan, fidelity, lostRows, sampling: sampled, quality, native, precision: options.precision }),
      environment: describeEnvironment(),
    };
  } finally {
    await check?.release();
    await choice?.release();
    await head.release();
    await oracle.release();
  }
}

/** Everything on which the baseline of a run depends, down to the order of its float32 sums. */
function keyOfBaseline(
  { oracle: { inputLength, layers, heads }, scoreBytes }: Plan,
  { provider, threads }: Device,
  executor: string,
  { precision, activations, baseline }: SimulationOptions,
): string {
  if (baseline === 'dense') {
    return JSON.stringify(['dense', inputLength, provider, threads, activations]);
  }
  return JSON.stringify([inputLength, layers, heads, scoreBytes ?? null, provider, threads, executor, precision, activations]);
}

/** Rows of which theorem 4.1's constants are measured. */
const sampledRows = 64;

/** What a sampled run is tried with beside itself: more seeds, on an oracle whose calls are not the run's. */
function samplingCheck(
  { plan, model }: PlannedPrompt,
  { seeds, epsilon, failureProbability }: SimulationOptions,
  device: Device,
  signal: AbortSignal,
): { check: SamplingCheck; oracle: OnnxOracle } | undefined {
  if (!isUniform(plan) || !isSampled(plan.scenario) || seeds === 0) {
    return undefined;
  }
  const oracle = new OnnxOracle(runConfig(model), plan.oracle.inputLength, device, plan.tokens);
  const rows = spreadRows(plan.tokens, sampledRows);
  return {
    check: new SamplingCheck(plan, { seeds, epsilon, failureProbability, rows, data: `${model.name}, this prompt` }, oracle, signal),
    oracle,
  };
}

type ReportProgress = (fraction: number, phase: Phase, message: string) => void;

/** Progress that never falls. */
function progressFrom(onProgress: OnProgress): ReportProgress {
  let highest = 0;
  return (fraction, phase, message) => {
    highest = Math.max(highest, Math.min(1, fraction));
    onProgress({ fraction: highest, phase, message });
  };
}

/** The calls that the oracle counted so far. */
export function measuredCalls({ calls: { attention, tokenwise, retries, dispatches } }: OnnxOracle, plan: Plan): MeasuredCalls {
  const total = attention + tokenwise;
  return { total, attention, tokenwise, perLayer: total / plan.model.layers, retries, dispatches };
}
