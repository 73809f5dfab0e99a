import { isBlackBox } from '../../../core/construct/construction';
import { InputError } from '../../../core/errors';
import { chooseToken } from '../../../core/generate/choose';
import type { Continuation, GeneratedToken, GenerationOptions, GenerationReport } from '../../../core/generate/report';
import { uniform } from '../../../core/math/random';
import type { SimulationOptions } from '../../../core/options/table';
import { isNativeScenario, nativePlan, type Plan, planOfLength } from '../../../core/plan/plan';
import { type MemoryEstimate, memoryUseOf } from '../../../core/predict/memory';
import { runVerdict, type Verdict, worstVerdict } from '../../../core/report/verdict';
import { dependsOnLength, isSampled, looksAhead, scenarioLabel, scenarioTitle, tileRuleOf } from '../../../core/scenario/scenario';
import { deviceFor, executorOf, passOf } from '../../attend/pass';
import { type Device, openPlannedDevice } from '../../attend/runtime/provider';
import { checkLength } from '../../attend/tiles/embed';
import { OnnxOracle } from '../../attend/tiles/onnx-oracle';
import { FidelityCheck } from '../../attend/verify/fidelity';
import { OutputHead } from '../../attend/verify/predictions';
import { describeEnvironment } from '../../machine';
import { checkMemory, PeakWatch, runMemory } from '../../memory';
import { type LoadedModel, loadModel } from '../../read/model/load';
import { sameRotation } from '../../read/model/rope';
import type { Prompt } from '../../read/prompt';
import { checkRunnable } from '../../read/tokenizer/tokenizer';
import { planDocument, type PlannedPrompt, planPrompt } from '../plan';
import type { SimulationContext } from '../simulate';
import { cacheBytes, Decoder } from './decoder';
import { DecodingCheck } from './decoding-check';
import { endTokens, TokenText } from './tokens';

/** What the continuations of a prompt share. */
interface Shared {
  readonly planned: PlannedPrompt;
  readonly options: SimulationOptions;
  readonly generation: GenerationOptions;
  readonly model: LoadedModel;
  readonly device: Device;
  readonly ends: ReadonlySet<number>;
  readonly signal: AbortSignal;
}

/**
 * Continues a prompt under a scenario, and under the model's own attention, to see what the scenario does.
 *
 * Each token is a row of attention calls over a cache that holds what the scenario lets it see.
 * @throws InputError for input that is refused before anything is run; CancelledError once the signal is aborted
 */
export async function generate(
  prompt: Prompt,
  options: SimulationOptions,
  generation: GenerationOptions,
  context: SimulationContext,
): Promise<GenerationReport> {
  const planned = await planPrompt(prompt, options, context);
  checkGenerable(planned, generation);
  const device = await openPlannedDevice(options, planned.calibration);
  const watch = new PeakWatch();
  try {
    return await continueWatched(planned, options, generation, { context, device, watch });
  } finally {
    watch.end();
  }
}

/** Continues a prompt while its memory is watched. */
async function continueWatched(
  planned: PlannedPrompt,
  options: SimulationOptions,
  generation: GenerationOptions,
  { context, device, watch }: { readonly context: SimulationContext; readonly device: Device; readonly watch: PeakWatch },
): Promise<GenerationReport> {
  const { plan } = planned;
  const check = (one: Plan): MemoryEstimate =>
    checkContinuationMemory(one, planned, generation, options, { provider: device.provider, processBytes: watch.startBytes });
  const memory = check(plan);
  const native = nativePlan(plan);
  const needsBaseline = generation.baseline && scenarioLabel(native.scenario) !== scenarioLabel(plan.scenario);
  if (needsBaseline) {
    check(native);
  }
  const loaded = await loadModel(planned.model);
  const shared: Shared = {
    planned,
    options,
    generation,
    model: loaded,
    device: await deviceFor(device, options, loaded),
    ends: await endTokens(planned.model.folder),
    signal: context.signal,
  };
  const share = needsBaseline ? 0.5 : 1;
  const progressFrom = (from: number) => (fraction: number, message: string) =>
    context.onProgress({ fraction: Math.min(1, from + share * fraction), phase: 'generate', message });
  const continuation = await continueUnder(plan, shared, progressFrom(0));
  const baseline = needsBaseline ? await continueUnder(native, shared, progressFrom(share)) : null;
  context.onProgress({ fraction: 1, phase: 'generate', message: 'done' });
  const peak = watch.peak();
  const { schemaVersion, prompt: digest, model, oracle } = planDocument(planned, memory);
  return {
    schemaVersion,
    prompt: digest,
    model,
    oracle,
    generation,
    continuation,
    baseline,
    sameTokens: baseline && sameTokens(continuation.tokens, baseline.tokens),
    verdict: worstVerdict([continuation, ...(baseline === null ? [] : [baseline])].map((each) => verdictOf(each, plan, options))),
    run: {
      provider: device.provider,
      device: device.name,
      threads: device.threads,
      peakRssBytes: peak.bytes,
      memory: runMemory(memory, peak),
    },
    environment: describeEnvironment(),
  };
}

/** The verdict on a continuation: on the run of its prompt. Logits that are not numbers fail it. */
function verdictOf({ fidelity, lostRows, scenario, tokens, ended }: Continuation, plan: Plan, { precision }: SimulationOptions): Verdict {
  const { construction, model } = plan;
  const native = isNativeScenario({ scenario, model, tokens: plan.tokens + tokens.length });
  const loss = ended === 'no-numbers' ? NaN : tokens.reduce((sum, { logProbability }) => sum - logProbability, 0) / tokens.length;
  return runVerdict({
    fidelity,
    lostRows,
    sampling: null,
    quality: { perplexity: Math.exp(loss) },
    scenario,
    construction,
    native,
    precision,
  });
}

/** Refuses what cannot be continued, before anything is loaded. @throws InputError that names what and the fix */
function checkGenerable({ plan, model, tokenizer }: PlannedPrompt, { tokens }: GenerationOptions): void {
  const { name, config } = model;
  checkRunnable(model, tokenizer.source);
  if (config.predicts !== 'next') {
    throw new InputError(
      `${name} does not predict the next token, so it cannot continue a prompt; use a decoder such as a Llama or GPT-2.`,
    );
  }
  if (looksAhead(plan.scenario, plan.tokens + tokens) || isSampled(plan.scenario)) {
    throw new InputError(
      `${scenarioTitle(plan.scenario)} attention lets a token see tokens that do not exist yet; use causal, sliding-window or attention-sink.`,
    );
  }
  if (dependsOnLength(plan.scenario)) {
    throw new InputError(
      `${scenarioLabel(plan.scenario)} depends on n, which grows with every token; write it without n to continue a prompt.`,
    );
  }
  if (tileRuleOf(plan.scenario) !== undefined) {
    throw new InputError(
      `${scenarioLabel(plan.scenario)} chooses tiles of whole prompts, not of one token after another; continue a prompt under causal, sliding-window or attention-sink.`,
    );
  }
  if (plan.restarts !== undefined) {
    throw new InputError('--reset-positions is for whole prompts, not for one token after another; leave it out to continue a prompt.');
  }
  if (plan.scenario.kind === 'per-head') {
    throw new InputError(
      `${scenarioLabel(plan.scenario)} runs whole prompts, not one token after another; continue a prompt under one scenario for all heads.`,
    );
  }
  if (isBlackBox(plan.construction)) {
    throw new InputError(`Construction "${plan.construction}" runs whole prompts, not one token after another; use construction fused.`);
  }
  const { maximumTokens } = config.shape;
  if (maximumTokens !== undefined && plan.tokens <= maximumTokens && plan.tokens + tokens > maximumTokens) {
    throw new InputError(
      `--tokens ${tokens} after ${plan.tokens} of the prompt is more than the ${maximumTokens} positions of ${name}; use --tokens ${maximumTokens - plan.tokens} or fewer, or cut the prompt with --max-tokens.`,
    );
  }
  checkLength(plan.tokens, { name, ...config });
}

/** The memory of the longest sequence that is run at once, with the caches. @throws InputError for what does not fit, with the fix */
function checkContinuationMemory(
  plan: Plan,
  { model: { config } }: Pick<PlannedPrompt, 'model'>,
  { tokens }: GenerationOptions,
  options: SimulationOptions,
  place: { readonly provider: Device['provider']; readonly processBytes: number },
): MemoryEstimate {
  // The last token that is added is never read.
  const longest = plan.tokens + tokens - 1;
  const once = sameRotation(config.run?.rotary ?? [], config.shape.headWidth, plan.tokens, longest);
  const run = once ? plan : planOfLength(plan, longest);
  // Nothing is scored, and the logits of one token are little; a check keeps as many keys and values as the caches do.
  const use = memoryUseOf(run, { ...options, verify: 'none', quality: false }, place);
  return checkMemory(
    run,
    { ...use, whole: true, kept: (options.verify === 'none' ? 1 : 2) * cacheBytes(plan, tokens) },
    options.memoryLimit,
  );
}

async function continueUnder(plan: Plan, shared: Shared, onProgress: (fraction: number, message: string) => void): Promise<Continuation> {
  const {
    planned: { tokenizer, tokens: prompt },
    options,
    generation,
    model,
    device,
    ends,
    signal,
  } = shared;
  const oracle = new OnnxOracle(model, plan.oracle.inputLength, device, plan.tokens);
  const head = new OutputHead(model, device);
  const label = scenarioLabel(plan.scenario);
  const { verify, precision, activations } = options;
  const checks =
    verify === 'none'
      ? undefined
      : {
          decoding: new DecodingCheck(model, plan, precision, activations),
          wholeOf: (whole: Plan, tokens: Int32Array) => FidelityCheck.ofRun(whole, verify, { tokens, model, device, precision, signal }),
        };
  try {
    const pass = passOf(executorOf(options, plan, device), precision);
    const decoder = new Decoder({ model, plan, oracle, head, pass, checks, signal });
    const start = performance.now();
    let logits = await decoder.prefill(prompt, (fraction) => onProgress(0.5 * fraction, `${label}: the prompt`));
    oracle.keepWeights();
    head.keepWeights();
    const prefillCalls = callsOf(oracle);
    const prefillVerifyMs = decoder.verifyMs;
    const decodeStart = performance.now();
    const random = uniform(generation.seed);
    const text = new TokenText(tokenizer, prompt);
    const tokens: GeneratedToken[] = [];
    let ended: Continuation['ended'] | undefined;
    while (ended === undefined) {
      const next = chooseToken(logits, generation, random);
      if (next === undefined) {
        ended = 'no-numbers';
        break;
      }
      const { token, logProbability } = next;
      const isEnd = ends.has(token);
      // What ends a text is not part of it.
      const added = isEnd ? { text: tokenizer.decode([token]), from: text.whole.length } : text.add(token);
      tokens.push({ id: token, ...added, logProbability });
      const finished = (more: number): number => 0.5 + (0.5 * (tokens.length + more)) / generation.tokens;
      onProgress(finished(0), `${label}: token ${tokens.length} of ${generation.tokens}`);
      if (isEnd) {
        ended = 'end-of-sequence';
      } else if (tokens.length === generation.tokens) {
        ended = 'length';
      } else {
        logits = await decoder.step(token, (fraction) => onProgress(finished(fraction), `${label}: the sequence again, for another rope`));
      }
    }
    const all = callsOf(oracle);
    return {
      scenario: plan.scenario,
      text: text.whole,
      tokens,
      ended,
      cachedKeys: decoder.cachedKeys,
      reruns: decoder.reruns,
      cacheBytes: cacheBytes(plan, generation.tokens),
      prefillMs: decodeStart - start - prefillVerifyMs,
      decodeMs: performance.now() - decodeStart - (decoder.verifyMs - prefillVerifyMs),
      prefillCalls,
      decodeCalls: {
        attention: all.attention - prefillCalls.attention,
        tokenwise: all.tokenwise - prefillCalls.tokenwise,
        dispatches: all.dispatches - prefillCalls.dispatches,
      },
      fidelity: decoder.fidelity,
      lostRows: decoder.lostRows,
    };
  } finally {
    await head.release();
    await oracle.release();
  }
}

function callsOf({ calls: { attention, tokenwise, dispatches } }: OnnxOracle): Continuation['prefillCalls'] {
  return { attention, tokenwise, dispatches };
}

/** How many tokens two continuations begin with alike. */
function sameTokens(one: readonly GeneratedToken[], other: readonly GeneratedToken[]): number {
  const differs = one.findIndex(({ id }, index) => other[index]?.id !== id);
  return differs < 0 ? one.length : differs;
}
