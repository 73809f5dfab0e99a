import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The version of llama.cpp's npm package that the benchmark compares with. */
export const llamaVersion = '3.22.1';

/** What the benchmark uses of `node-llama-cpp`, whose types come with a package that only the benchmark installs. */
interface NodeLlama {
  readonly getLlama: (options: { gpu: false; build: 'never'; maxThreads: number; skipDownload: true; logLevel: 'error' }) => Promise<Llama>;
}
interface Llama {
  loadModel(options: { modelPath: string }): Promise<LlamaModel>;
  dispose(): Promise<void>;
}
interface LlamaModel {
  createContext(options: ContextOptions): Promise<LlamaContext>;
}
interface ContextOptions {
  readonly contextSize: number;
  readonly batchSize: number;
  readonly threads: number;
  readonly flashAttention: boolean;
  readonly experimentalKvCacheKeyType: 'F32';
  readonly experimentalKvCacheValueType: 'F32';
}
type EvaluateItem = number | readonly [number, { readonly generateNext: { readonly probabilities: true } }];
interface LlamaContext {
  getSequence(): { controlledEvaluate(items: readonly EvaluateItem[]): Promise<readonly ({ next: { probabilities: Map<number, number> } } | undefined)[]> };
  dispose(): Promise<void>;
}

/** A model in llama.cpp, whole in float32: weights, activations and key-value cache. */
export class LlamaCpp {
  private constructor(
    private readonly llama: Llama,
    private readonly model: LlamaModel,
    private readonly threads: number,
  ) {}

  /** Installs `node-llama-cpp` with its CPU binary once, in `folder`, and loads a GGUF file. */
  static async open(folder: string, modelPath: string, threads: number): Promise<LlamaCpp> {
    const entry = join(folder, 'node_modules', 'node-llama-cpp', 'dist', 'index.js');
    if (!existsSync(entry)) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
      // Without the optional packages, which are builds for other machines and for graphics cards, but with the one for this machine's CPU.
      const packages = [`node-llama-cpp@${llamaVersion}`, `@node-llama-cpp/${process.platform}-${process.arch}@${llamaVersion}`];
      await promisify(execFile)('npm', ['install', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', ...packages], { cwd: folder });
    }
    const { getLlama } = (await import(entry)) as NodeLlama;
    const llama = await getLlama({ gpu: false, build: 'never', maxThreads: threads, skipDownload: true, logLevel: 'error' });
    return new LlamaCpp(llama, await llama.loadModel({ modelPath }), threads);
  }

  /** A context for N tokens; `batchSize` tokens are evaluated at once. */
  async context(tokens: number, batchSize: number, flashAttention: boolean): Promise<LlamaContext> {
    const float32 = { experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32' } as const;
    return this.model.createContext({ contextSize: tokens + 64, batchSize, threads: this.threads, flashAttention, ...float32 });
  }

  async close(): Promise<void> {
    await this.llama.dispose();
  }
}

/** Evaluates a prompt in a context that has seen nothing, and gives the probabilities of the next token. */
export async function prefillWithLlama(context: LlamaContext, tokens: Int32Array): Promise<Map<number, number>> {
  const items: EvaluateItem[] = Array.from(tokens.subarray(0, -1));
  const results = await context.getSequence().controlledEvaluate([...items, [tokens[tokens.length - 1], { generateNext: { probabilities: true } }]]);
  const next = results.at(-1)?.next.probabilities;
  if (next === undefined) {
    throw new Error('llama.cpp gave no probabilities.');
  }
  return next;
}
