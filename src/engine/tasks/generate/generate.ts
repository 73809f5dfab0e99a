import { isBlackBox } from '../../../core/construct/construction';
import { InputError } from '../../../core/errors';
import { chooseToken } from '../../../core/generate/choose';
import type { Continuation, GeneratedToken, GenerationOptions, GenerationReport } from '../../../core/generate/report';
import { uniform } from '../../../core/math/random';
import type { SimulationOptions } from '../../../core/options/table';
import { nativePlan, type Plan, planOfLength } from '../../../core/plan/plan';
import { dependsOnLength, isSampled, looksAhead, scenarioLabel, scenarioTitle } from '../../../core/scenario/scenario';
import { executorOf, passOf } from '../../attend/pass';
import { checkFloat16, type Device, openPlannedDevice } from '../../attend/runtime/provider';
import { checkLength } from '../../attend/tiles/embed';
import { OnnxOracle } from '../../attend/tiles/onnx-oracle';
import { OutputHead } from '../../attend/verify/predictions';
import { checkMemory, describeEnvironment, peakResidentBytes } from '../../machine';
import { type LoadedModel, loadModel } from '../../read/model/load';
import { sameRotation } from '../../read/model/rope';
import type { Prompt } from '../../read/prompt';
import { checkRunnable } from '../../read/tokenizer/tokenizer';
import { planDocument, type PlannedPrompt, planPrompt } from '../plan';
import type { SimulationContext } from '../simulate';
import { cacheBytes, Decoder } from './decoder';
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
  const { plan } = planned;
  checkGenerable(planned, generation);
  checkContinuationMemory(plan, planned, generation, options);
  const native = nativePlan(plan);
  const needsBaseline = generation.baseline && scenarioLabel(native.scenario) !== scenarioLabel(plan.scenario);
  if (needsBaseline) {
    checkContinuationMemory(native, planned, generation, options);
  }
  const device = await openPlannedDevice(options, planned.calibration);
  if (options.precision === 'float16') {
    await checkFloat16(device);
  }
  const shared: Shared = {
    planned,
    options,
    generation,
    model: await loadModel(planned.model),
    device,
    ends: await endTokens(planned.model.folder),
    signal: context.signal,
  };
  const share = needsBaseline ? 0.5 : 1;
  const progressFrom = (from: number) => (fraction: number, message: string) =>
    context.onProgress({ fraction: Math.min(1, from + share * fraction), phase: 'generate', message });
  const continuation = await continueUnder(plan, shared, progressFrom(0));
  const baseline = needsBaseline ? await continueUnder(native, shared, progressFrom(share)) : null;
  context.onProgress({ fraction: 1, phase: 'generate', message: 'done' });
  const { schemaVersion, prompt: digest, model, oracle } = planDocument(planned);
  return {
    schemaVersion,
    prompt: digest,
    model,
    oracle,
    generation,
    continuation,
    baseline,
    sameTokens: baseline && sameTokens(continuation.tokens, baseline.tokens),
    run: { provider: device.provider, device: device.name, threads: device.threads, peakRssBytes: peakResidentBytes() },
    environment: describeEnvironment(),
  };
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

/** Refuses what does not fit: the longest sequence that is run at once, and the caches. @throws InputError that names the fix */
function checkContinuationMemory(
  plan: Plan,
  { model: { config } }: Pick<PlannedPrompt, 'model'>,
  { tokens }: GenerationOptions,
  { memoryLimit }: SimulationOptions,
): void {
  // The last token that is added is never read.
  const longest = plan.tokens + tokens - 1;
  const once = sameRotation(config.run?.rotary ?? [], config.shape.headWidth, plan.tokens, longest);
  const run = once ? plan : planOfLength(plan, longest);
  checkMemory({ ...run, bytes: run.bytes + cacheBytes(plan, tokens) }, memoryLimit);
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
  try {
    const pass = passOf(executorOf(options, plan, device), options.precision);
    const decoder = new Decoder({ model, plan, oracle, head, pass, signal }, generation.tokens);
    const start = performance.now();
    let logits = await decoder.prefill(prompt, (fraction) => onProgress(0.5 * fraction, `${label}: the prompt`));
    const prefillCalls = callsOf(oracle);
    const decodeStart = performance.now();
    const random = uniform(generation.seed);
    const text = new TokenText(tokenizer, prompt);
    const tokens: GeneratedToken[] = [];
    let ended = false;
    while (tokens.length < generation.tokens && !ended) {
      const { token, logProbability } = chooseToken(logits, generation, random);
      ended = ends.has(token);
      // What ends a text is not part of it.
      tokens.push({ id: token, text: ended ? tokenizer.decode([token]) : text.add(token), logProbability });
      const finished = (more: number): number => 0.5 + (0.5 * (tokens.length + more)) / generation.tokens;
      onProgress(finished(0), `${label}: token ${tokens.length} of ${generation.tokens}`);
      if (!ended && tokens.length < generation.tokens) {
        logits = await decoder.step(token, (fraction) => onProgress(finished(fraction), `${label}: the sequence again, for another rope`));
      }
    }
    const all = callsOf(oracle);
    return {
      scenario: plan.scenario,
      text: text.whole,
      tokens,
      ended: ended ? 'end-of-sequence' : 'length',
      cachedKeys: decoder.cachedKeys,
      reruns: decoder.reruns,
      cacheBytes: cacheBytes(plan, generation.tokens),
      prefillMs: decodeStart - start,
      decodeMs: performance.now() - decodeStart,
      prefillCalls,
      decodeCalls: {
        attention: all.attention - prefillCalls.attention,
        tokenwise: all.tokenwise - prefillCalls.tokenwise,
        dispatches: all.dispatches - prefillCalls.dispatches,
      },
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
