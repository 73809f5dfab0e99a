import { InputError } from '../../../core/errors';
import { type PackedPrompt, type PackOptions, type PackReport, packVerdict } from '../../../core/pack/report';
import { wholeCallBytes } from '../../../core/predict/memory';
import type { OnProgress, Phase } from '../../../core/report/phases';
import { reportSchemaVersion } from '../../../core/report/report';
import { openDevice } from '../../attend/runtime/provider';
import { OnnxOracle } from '../../attend/tiles/onnx-oracle';
import { LargestDifference } from '../../attend/verify/difference';
import { lostRowsOf } from '../../attend/verify/prediction-check';
import { OutputHead } from '../../attend/verify/predictions';
import { measureQuality } from '../../attend/verify/quality';
import { describeEnvironment } from '../../machine';
import { PeakWatch } from '../../memory';
import { type LoadedModel, loadModel, openModel } from '../../read/model/load';
import { sameRotation } from '../../read/model/rope';
import type { Prompt } from '../../read/prompt';
import { describeModel } from '../plan';
import { checkPackedLength, checkPackMemory, PackCheck } from './check';
import { packLayout, type PromptPlace, type TokenizedPrompt, tokenizePrompts } from './layout';
import { runPacks, type RunWay, warmUp } from './ways';

/** What surrounds a pack. */
export interface PackContext {
  /** The folder that holds the embedded models. */
  readonly modelsFolder: string;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** Why a causal pack is not the paper's. */
const causalExtension =
  "Theorem 4.2 is for attention without any mask. A kernel whose only mask is its causal flag packs as well, since a prompt's tokens keep their order: that is our extension.";

/**
 * Theorem 4.2, run: many prompts as one sequence, one attention call a layer that takes no mask, then each alone.
 *
 * @throws InputError for input that is refused before the run; CancelledError once the signal is aborted
 */
export async function runPack(prompts: readonly Prompt[], options: PackOptions, context: PackContext): Promise<PackReport> {
  const { scenario } = options;
  const { signal } = context;
  const folder = await openModel(options.model, context.modelsFolder);
  const { shape, run } = folder.config;
  if (shape.scoreCap !== undefined) {
    throw new InputError(
      `${folder.name} bends its scores to at most ${shape.scoreCap}, and theorem 4.2 needs plain ones to keep prompts apart; use another model, or simulate each prompt.`,
    );
  }
  if (run?.checkpoint.layers.some(({ attend }) => attend?.sinks !== undefined) === true) {
    throw new InputError(
      `${folder.name} has learned sinks, and the calls of a pack give no log-normaliser to merge them by; use a model without them.`,
    );
  }
  const { tokenized, tokenizer } = await tokenizePrompts(prompts, folder);
  const lengths = tokenized.map(({ tokens }) => tokens.length);
  const [shortest, longest] = [Math.min(...lengths), Math.max(...lengths)];
  if (!sameRotation(folder.config.run?.rotary ?? [], shape.headWidth, shortest, longest)) {
    throw new InputError(
      `The rope of ${folder.name} is another for ${shortest} tokens than for ${longest}, and a pack has one for all; pack prompts of more similar lengths.`,
    );
  }
  const layout = packLayout(lengths);
  checkPackedLength(layout.tokens, options.maxTokens);
  checkPackMemory(shape.heads, layout.tokens, scenario, wholeCallBytes(shape, layout.tokens));
  const device = await openDevice(options.provider, options.threads);
  const watch = new PeakWatch();
  const model = await loadModel(folder);
  const oracle = new OnnxOracle(model, layout.tokens, device, longest);
  const head = new OutputHead(model, device);
  try {
    const tokens = joined(tokenized, layout.tokens);
    const bench = { model, oracle, device, scenario, signal };
    const check = new PackCheck(layout, scenario, signal);
    const progress = steps(context.onProgress, shape.layers * (1 + prompts.length) + prompts.length);

    await warmUp(bench, tokens);
    const packed = await runPacks(
      bench,
      [layout],
      tokens,
      () => progress('attend', 'packed'),
      (tensors, attended) => check.inspect(tensors, attended),
    );
    const alone = tokenized.map((prompt) => packLayout([prompt.tokens.length]));
    const separate = await runPacks(bench, alone, tokens, () => progress('attend', 'each prompt alone'));

    const compared: PackedPrompt[] = [];
    for (const [index, prompt] of tokenized.entries()) {
      const ways = {
        packed: rowsOf(packed, layout.prompts[index], shape.width),
        separate: rowsOf(separate, layout.prompts[index], shape.width),
      };
      compared.push({
        path: prompt.path,
        tokens: prompt.tokens.length,
        notes: prompt.read.notes,
        ...differenceOf(ways, shape.width),
        loss: scenario === 'causal' ? await lossOf(model, head, prompt, ways, signal) : null,
      });
      progress('quality', 'comparing');
    }
    const worst = new LargestDifference();
    compared.forEach((prompt) => worst.add(prompt));
    // Packed and alone a prompt overflows alike, so that their agreement proves nothing.
    const lostRows = lostRowsOf(packed.hidden, shape.width) + lostRowsOf(separate.hidden, shape.width);
    const fidelity = { ...check.result(shape), lostRows };
    const difference = worst.result();
    return {
      schemaVersion: reportSchemaVersion,
      model: describeModel(folder, shape, tokenizer),
      scenario: { kind: scenario },
      extension: scenario === 'causal' ? causalExtension : null,
      prompts: compared,
      packed: { tokens: layout.tokens, separationWidth: layout.separationWidth, ...packed.measured },
      separate: separate.measured,
      bound: { theorem: 'Theorem 4.2', formula: 'L', calls: shape.layers },
      fidelity,
      difference,
      verdict: packVerdict({ fidelity, difference, prompts: compared }, model.experts !== undefined),
      run: { provider: device.provider, device: device.name, threads: device.threads, peakRssBytes: watch.peak().bytes },
      environment: describeEnvironment(),
    };
  } finally {
    watch.end();
    await head.release();
    await oracle.release();
  }
}

/** The last residual streams `[N_i, d]` of one prompt. */
type BothWays = Readonly<Record<'packed' | 'separate', Float32Array>>;

function rowsOf({ hidden }: RunWay, { from, to }: PromptPlace, width: number): Float32Array {
  return hidden.subarray(from * width, to * width);
}

function differenceOf({ packed, separate }: BothWays, width: number): Pick<PackedPrompt, 'maxAbsError' | 'maxRelError'> {
  const difference = new LargestDifference();
  for (let at = 0; at < packed.length; at += width) {
    difference.addRow(packed.subarray(at, at + width), separate.subarray(at, at + width));
  }
  return difference.result();
}

/** Mean next-token loss in nats, or null where there is no next token. */
async function lossOf(
  model: LoadedModel,
  head: OutputHead,
  { tokens }: TokenizedPrompt,
  { packed, separate }: BothWays,
  signal: AbortSignal,
): Promise<PackedPrompt['loss']> {
  if (tokens.length < 2) {
    return null;
  }
  const { perplexity, baselinePerplexity } = await measureQuality(
    { model, head, score: 'all', touched: 'A pack has no mask.', tokens: tokens.length, signal, onProgress: () => undefined },
    { tokens, hidden: packed, baseline: separate },
    'Only losses are compared.',
  );
  return { packed: Math.log(perplexity), separate: Math.log(baselinePerplexity) };
}

function joined(prompts: readonly TokenizedPrompt[], total: number): Int32Array {
  const tokens = new Int32Array(total);
  let from = 0;
  for (const prompt of prompts) {
    tokens.set(prompt.tokens, from);
    from += prompt.tokens.length;
  }
  return tokens;
}

/** Progress by steps of which there are `total`. */
function steps(onProgress: OnProgress, total: number): (phase: Phase, message: string) => void {
  let done = 0;
  return (phase, message) => {
    done += 1;
    onProgress({ fraction: done / total, phase, message });
  };
}
