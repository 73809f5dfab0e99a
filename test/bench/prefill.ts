import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultOptions } from '../../src/core/options/options';
import { makePlan } from '../../src/core/plan/plan';
import { planRequest } from '../../src/core/plan/request';
import { uniform } from '../../src/core/math/random';
import type { LoadedModel } from '../../src/engine/read/model/load';
import { randomModel } from '../../src/engine/read/model/random-model';
import { OnnxOracle } from '../../src/engine/attend/tiles/onnx-oracle';
import { PhaseClock } from '../../src/engine/attend/runtime/clock';
import { forward } from '../../src/engine/attend/forward';
import { openDevice } from '../../src/engine/attend/runtime/provider';
import { writeGguf } from '../support/llama-cpp/gguf';
import { LlamaCpp, prefillWithLlama } from '../support/llama-cpp/llama';
import { median, paired, type BenchContext, type Section } from './section';

/** The shape of SmolLM-135M. */
const smolLm = { layers: 30, heads: 9, keyValueHeads: 3, headWidth: 64, width: 576, feedForwardWidth: 1536, vocabulary: 49_152 };

/** M of our runs. */
const blockSize = 512;

/** Next-token logits of random weights would be so large that one token took all: the final norm is scaled down. */
const finalNormScale = 0.02;

/**
 * Largest difference of two next-token probabilities, relative to the largest probability. Float32 makes up to 3e-4 (llama.cpp
 * against itself, with and without flash attention); rows of query and key in the wrong order make 8e-3 in two layers.
 */
const agreement = 1e-3;

/** Whole-model prefill: ours against llama.cpp on a GGUF file with the same weights, both in float32 on the CPU. */
export async function prefill(context: BenchContext): Promise<Section> {
  const shape = context.quick ? { ...smolLm, layers: 2 } : smolLm;
  const random = randomModel(shape, { seed: 1, scoreScale: 1, variety: 1 });
  const finalNormWeight = { shape: [shape.width], data: new Float32Array(shape.width).fill(finalNormScale) };
  const model: LoadedModel = { ...random, head: { ...random.head, finalNormWeight } };
  const folder = await mkdtemp(join(tmpdir(), 'two-heads-bench-'));
  const rows: Record<string, number | string>[] = [];
  try {
    const path = join(folder, 'model.gguf');
    await writeGguf(path, model, 16_384);
    const llama = await LlamaCpp.open(join(process.cwd(), '.cache', 'llama-cpp'), path, context.threads);
    for (const tokens of context.quick ? [512] : [2048, 8192]) {
      rows.push(await compare(model, tokens, llama, context));
    }
    await llama.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const last = rows[rows.length - 1];
  return {
    name: 'prefill',
    title: 'Whole-model prefill, SmolLM-135M’s shape, random weights, float32',
    method:
      'Ours (causal, fused, M = 512) and llama.cpp (node-llama-cpp, CPU, key-value cache in float32, the fastest of batches of 512 and 2,048 with and without flash attention) on the same tokens and weights, in turn, each making its context or sessions anew; medians. The difference is the largest between two next-token probabilities, relative to the largest probability.',
    columns: {
      tokens: 'N',
      oursMs: 'ours, ms',
      llamaMs: 'llama.cpp, ms',
      ratio: 'llama.cpp / ours',
      variant: 'llama.cpp ran with',
      difference: 'difference',
    },
    rows,
    goals: context.quick
      ? []
      : [
          {
            goal: 'Prefill at N = 8192 at least as fast as llama.cpp',
            measured: `N = ${last.tokens}: ${Number(last.ratio).toFixed(2)} times as fast`,
            reached: Number(last.ratio) >= 1,
          },
        ],
  };
}

async function compare(
  model: LoadedModel,
  count: number,
  llama: LlamaCpp,
  { threads, quick, log }: BenchContext,
): Promise<Record<string, number | string>> {
  const next = uniform(count);
  const tokens = Int32Array.from({ length: count }, () => 300 + Math.floor(next() * (model.shape.vocabulary - 300)));
  log(`prefill of ${count} tokens`);
  const variants = [false, true].flatMap((flash) =>
    [512, 2048].map((batch) => ({ flash, batch, name: `batches of ${batch}${flash ? ', flash attention' : ''}` })),
  );
  let oursNext: Float64Array | undefined;
  let llamaNext: Map<number, number> | undefined;
  // One pass of each variant finds the one to compare with.
  const tried: { readonly time: number; readonly variant: (typeof variants)[number] }[] = [];
  for (const variant of variants) {
    const start = performance.now();
    llamaNext = await withLlama(llama, variant, tokens);
    tried.push({ time: performance.now() - start, variant });
  }
  const { variant } = tried.reduce((best, other) => (other.time < best.time ? other : best));
  const times = await paired(
    {
      ours: async () => (oursNext = await ours(model, tokens, threads)),
      llama: async () => (llamaNext = await withLlama(llama, variant, tokens)),
    },
    quick || count > 4096 ? 2 : 3,
  );
  const difference = differenceOf(oursNext, llamaNext);
  if (!(difference < agreement)) {
    throw new Error(`The two models disagree at N = ${count}: next-token probabilities differ by ${difference} of the largest.`);
  }
  const [oursMs, llamaMs] = [median(times.ours), median(times.llama)];
  return { tokens: count, oursMs, llamaMs, ratio: llamaMs / oursMs, variant: variant.name, difference };
}

/** A context of its own each time: the key-value cache of an earlier pass would spare the work. Making and disposing it is in the time: 1 to 3% of it, as our sessions are in ours. */
async function withLlama(
  llama: LlamaCpp,
  { batch, flash }: { batch: number; flash: boolean },
  tokens: Int32Array,
): Promise<Map<number, number>> {
  const context = await llama.context(tokens.length, batch, flash);
  try {
    return await prefillWithLlama(context, tokens);
  } finally {
    await context.dispose();
  }
}

/** Our prefill: the probabilities of the token after the last. */
async function ours(model: LoadedModel, tokens: Int32Array, threads: number): Promise<Float64Array> {
  const device = await openDevice('cpu', threads);
  const oracle = new OnnxOracle(model, blockSize, device);
  try {
    const plan = makePlan(planRequest(tokens.length, model.shape, { ...defaultOptions, blockSize }));
    const hidden = await forward({
      model,
      plan,
      tokens,
      oracle,
      clock: new PhaseClock(),
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
    return nextToken(model, hidden.subarray((tokens.length - 1) * model.shape.width));
  } finally {
    await oracle.release();
  }
}

/** Final norm, head and softmax of one row, in float64. */
function nextToken(model: LoadedModel, row: Float32Array): Float64Array {
  const {
    shape: { width, vocabulary },
    norm,
  } = model;
  const [finalNorm, head] = [model.head.finalNormWeight?.data ?? [], model.head.headWeight?.data ?? []];
  const size = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0) / width + norm.epsilon);
  const normed = Float64Array.from(row, (x, column) => (x / size) * finalNorm[column]);
  const logits = new Float64Array(vocabulary);
  for (let word = 0; word < vocabulary; word += 1) {
    let sum = 0;
    for (let column = 0; column < width; column += 1) {
      sum += normed[column] * head[word * width + column];
    }
    logits[word] = sum;
  }
  const high = logits.reduce((max, x) => Math.max(max, x), -Infinity);
  const weights = logits.map((x) => Math.exp(x - high));
  const total = weights.reduce((sum, x) => sum + x, 0);
  return weights.map((x) => x / total);
}

/** The largest difference of two probabilities over the largest probability. */
function differenceOf(oursNext: Float64Array | undefined, llamaNext: Map<number, number> | undefined): number {
  if (oursNext === undefined || llamaNext === undefined) {
    return NaN;
  }
  const largest = oursNext.reduce((max, x) => Math.max(max, x), 0);
  return oursNext.reduce((worst, x, token) => Math.max(worst, Math.abs(x - (llamaNext.get(token) ?? 0))), 0) / largest;
}
