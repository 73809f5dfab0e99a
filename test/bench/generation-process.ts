import { fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { uniform } from '../../src/core/math/random';
import { type Activations, defaultOptions } from '../../src/core/options/table';
import { makePlan } from '../../src/core/plan/plan';
import { planRequest } from '../../src/core/plan/request';
import { passOf } from '../../src/engine/attend/pass';
import { openDevice } from '../../src/engine/attend/runtime/provider';
import { OnnxOracle } from '../../src/engine/attend/tiles/onnx-oracle';
import { OutputHead } from '../../src/engine/attend/verify/predictions';
import { PeakWatch } from '../../src/engine/memory';
import { loadModel, openModel } from '../../src/engine/read/model/load';
import { Decoder } from '../../src/engine/tasks/generate/decoder';
import { continueWithLlama, LlamaCpp } from '../support/llama-cpp/llama';
import { median } from './section';

/** M of our runs. */
export const blockSize = 512;

/** How llama.cpp reads a prompt: its batch, and whether it attends in one operator. */
export interface Variant {
  readonly batch: number;
  readonly flash: boolean;
}

/** What a process is asked to measure, in the order of its arguments. */
export interface Job extends Variant {
  readonly side: 'ours' | 'llama';
  readonly path: string;
  readonly tokens: number;
  readonly steps: number;
  readonly threads: number;
  /** Of ours. */
  readonly activations?: Activations;
  /** Where the probabilities of the token after the last go, float32. */
  readonly out: string;
}

/** What it measured. */
export interface Outcome {
  /** From the start of loading the file to the first token's probabilities. */
  readonly firstMs: number;
  readonly prefillMs: number;
  /** Median of the steps. */
  readonly stepMs: number;
  readonly peakBytes: number;
}

export function llamaFolder(): string {
  return join(process.cwd(), '.cache', 'llama-cpp');
}

/** Measures in a fresh process. */
export async function measured(job: Job): Promise<Outcome> {
  const child = fork(__filename, ['--generation', JSON.stringify(job)]);
  return new Promise((resolve, reject) => {
    child.once('message', (outcome) => resolve(outcome as Outcome));
    child.once('exit', (code) => reject(new Error(`The process that was to measure ${job.side} ended with ${code}.`)));
  });
}

/** In a process of its own: loads a file, reads a prompt, then token after token, and tells what it took. */
export async function measureGeneration(text: string): Promise<void> {
  const job = JSON.parse(text) as Job;
  const watch = new PeakWatch();
  const next = uniform(job.tokens);
  // Below 300 are llama.cpp's placeholders for control tokens and bytes.
  const tokens = Int32Array.from({ length: job.tokens + job.steps }, () => 300 + Math.floor(next() * 48_000));
  const clock = new StepClock();
  const probabilities = await (job.side === 'ours' ? runOurs(job, tokens, clock) : runLlama(job, tokens, clock));
  await writeFile(job.out, Buffer.from(probabilities.buffer));
  process.send?.({ ...clock.outcome(), peakBytes: watch.peak().bytes } satisfies Outcome);
  watch.end();
}

/** Times of one side. */
class StepClock {
  private readonly start = performance.now();
  private loaded = NaN;
  private first = NaN;
  private last = NaN;
  private readonly steps: number[] = [];

  /** The file is read. */
  load(): void {
    this.loaded = performance.now();
  }

  /** The next token is known: after the prompt, then after each token. */
  token(): void {
    const now = performance.now();
    if (Number.isNaN(this.first)) {
      this.first = now;
    } else {
      this.steps.push(now - this.last);
    }
    this.last = now;
  }

  outcome(): Omit<Outcome, 'peakBytes'> {
    return { firstMs: this.first - this.start, prefillMs: this.first - this.loaded, stepMs: median(this.steps) };
  }
}

async function runOurs(
  { path, threads, activations = 'float32', ...job }: Job,
  tokens: Int32Array,
  clock: StepClock,
): Promise<Float32Array> {
  const device = { ...(await openDevice('cpu', threads)), activations };
  const model = await loadModel(await openModel(path, join(process.cwd(), 'media', 'models')));
  clock.load();
  const plan = makePlan(planRequest(job.tokens, model.shape, { ...defaultOptions, blockSize }));
  const oracle = new OnnxOracle(model, plan.oracle.inputLength, device, plan.tokens);
  const head = new OutputHead(model, device);
  const { signal } = new AbortController();
  const decoder = new Decoder({ model, plan, oracle, head, pass: passOf('tiles', 'float32'), signal });
  let logits = await decoder.prefill(tokens.subarray(0, job.tokens), () => undefined);
  clock.token();
  for (const token of tokens.subarray(job.tokens)) {
    logits = await decoder.step(token);
    clock.token();
  }
  await oracle.release();
  await head.release();
  const high = logits.reduce((max, x) => Math.max(max, x), -Infinity);
  const weights = logits.map((x) => Math.exp(x - high));
  const total = weights.reduce((sum, x) => sum + x, 0);
  return weights.map((x) => x / total);
}

async function runLlama({ path, threads, batch, flash, ...job }: Job, tokens: Int32Array, clock: StepClock): Promise<Float32Array> {
  const llama = await LlamaCpp.open(llamaFolder(), path, threads);
  clock.load();
  const context = await llama.context(tokens.length, batch, flash, basename(path) === 'F32.gguf' ? 'F32' : 'F16');
  const probabilities = await continueWithLlama(context, tokens, job.tokens, () => clock.token());
  await context.dispose();
  await llama.close();
  return probabilities;
}
