import type { SimulationOptions } from '../../core/options/table';
import { isNativePlan, isUniform, nativePlan, type Plan } from '../../core/plan/plan';
import type { OnProgress, Phase } from '../../core/report/phases';
import type { MeasuredCalls, RunReport } from '../../core/report/report';
import { isSampled } from '../../core/scenario/scenario';
import { executorOf, passOf } from '../attend/pass';
import { PhaseClock } from '../attend/runtime/clock';
import { checkFloat16, type Device, openPlannedDevice } from '../attend/runtime/provider';
import { checkLength } from '../attend/tiles/embed';
import { OnnxOracle } from '../attend/tiles/onnx-oracle';
import { FidelityCheck } from '../attend/verify/fidelity';
import { OutputHead } from '../attend/verify/predictions';
import { measureQuality, qualityObstacle } from '../attend/verify/quality';
import { SamplingCheck } from '../attend/verify/sampling';
import { checkMemory, describeEnvironment, peakResidentBytes } from '../machine';
import { type LoadedModel, loadModel, runConfig } from '../read/model/load';
import { checkWeights } from '../read/model/open-tensors';
import type { Prompt } from '../read/prompt';
import { checkRunnable } from '../read/tokenizer/tokenizer';
import { type Places, planDocument, type PlannedPrompt, planPrompt, type TokenizedPrompt } from './plan';

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
  const planned = await planPrompt(prompt, options, context);
  await checkModel(planned);
  checkMemory(planned.plan, options.memoryLimit);
  const device = await openPlannedDevice(options, planned.calibration);
  return runPlanned(planned, options, { model: await loadModel(planned.model), device, baseline: new BaselineStream(), ...context });
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

/** What a planned run needs: an open device, weights in memory, and what earlier runs of the same prompt have left. */
interface RunContext extends Pick<SimulationContext, 'signal' | 'onProgress'> {
  readonly model: LoadedModel;
  readonly device: Device;
  readonly baseline: BaselineStream;
}

/** Runs a planned prompt. @throws InputError for an executor or a precision that the plan cannot have; CancelledError */
export async function runPlanned(planned: PlannedPrompt, options: SimulationOptions, context: RunContext): Promise<RunReport> {
  const { plan, tokens } = planned;
  const { model, device } = context;
  const obstacle = options.quality ? qualityObstacle(plan, model) : 'Quality was switched off for this run.';
  const executor = executorOf(options, plan, device);
  const isBaseline = isNativePlan(plan);
  const baselineKey = keyOfBaseline(plan, device, executor, options);
  const needsBaseline = obstacle === null && !isBaseline && context.baseline.get(baselineKey) === undefined;
  const shares: ProgressShares = { run: needsBaseline ? 0.45 : 0.9, baseline: needsBaseline ? 0.45 : 0, quality: 0.1 };
  const progress = progressFrom(context.onProgress);

  const clock = new PhaseClock();
  if (options.precision === 'float16') {
    await checkFloat16(device);
  }
  const pass = passOf(executor, options.precision);
  const oracle = new OnnxOracle(model, plan.oracle.inputLength, device, plan.tokens);
  const head = new OutputHead(model, device);
  try {
    const check = options.verify === 'none' ? undefined : new FidelityCheck(plan, options.verify, context.signal);
    const sampling = check && samplingCheck(planned, options, device, check.rows, context.signal);
    const start = performance.now();
    const hidden = await pass({
      model,
      plan,
      tokens,
      oracle,
      clock,
      signal: context.signal,
      onProgress: (fraction, phase, message) => progress(fraction * shares.run, phase, message),
      inspect:
        check &&
        ((layer, tensors, attended) =>
          clock.time('verify', async () => {
            await check.inspect(layer, tensors, attended);
            await sampling?.check.inspect(layer, tensors);
          })),
    });
    await sampling?.oracle.release();
    const wallMs = performance.now() - start - clock.phases.verify;
    const calls = measuredCalls(oracle, plan);
    if (isBaseline) {
      context.baseline.keep(baselineKey, hidden);
    }

    const quality =
      obstacle !== null
        ? null
        : await clock.time('quality', async () => {
            if (needsBaseline) {
              const own = await pass({
                model,
                plan: nativePlan(plan),
                tokens,
                oracle,
                clock: new PhaseClock(),
                signal: context.signal,
                onProgress: (fraction, _phase, message) =>
                  progress(shares.run + fraction * shares.baseline, 'quality', `baseline, ${message}`),
              });
              context.baseline.keep(baselineKey, own);
            }
            const baseline = context.baseline.get(baselineKey) ?? hidden;
            return measureQuality(model, head, tokens, hidden, baseline, context.signal, (fraction) =>
              progress(shares.run + shares.baseline + fraction * shares.quality, 'quality', 'comparing predictions'),
            );
          });
    progress(1, 'quality', 'done');
    return {
      ...planDocument(planned),
      run: {
        provider: device.provider,
        device: device.name,
        threads: device.threads,
        executor,
        precision: options.precision,
        wallMs,
        phases: { ...clock.phases, tokenize: planned.tokenizeMs },
        layers: clock.layers,
        calls,
        peakRssBytes: peakResidentBytes(),
      },
      fidelity: check?.result() ?? null,
      sampling: sampling?.check.result() ?? null,
      quality,
      qualityNote: obstacle,
      environment: describeEnvironment(),
    };
  } finally {
    await head.release();
    await oracle.release();
  }
}

/** Everything on which the baseline of a run depends, down to the order of its float32 sums. */
function keyOfBaseline(
  { oracle: { inputLength, layers, heads }, scoreBytes }: Plan,
  { provider, threads }: Device,
  executor: string,
  { precision }: SimulationOptions,
): string {
  return JSON.stringify([inputLength, layers, heads, scoreBytes ?? null, provider, threads, executor, precision]);
}

/** What a sampled run is tried with beside itself: more seeds, on an oracle whose calls are not the run's. */
function samplingCheck(
  { plan, model }: PlannedPrompt,
  { seeds, epsilon, failureProbability }: SimulationOptions,
  device: Device,
  rows: readonly number[],
  signal: AbortSignal,
): { check: SamplingCheck; oracle: OnnxOracle } | undefined {
  if (!isUniform(plan) || !isSampled(plan.scenario) || seeds === 0) {
    return undefined;
  }
  const oracle = new OnnxOracle(runConfig(model), plan.oracle.inputLength, device, plan.tokens);
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
