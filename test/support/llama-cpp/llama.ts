import { pathToFileURL } from 'node:url';
import { installLlama } from './install';

/** What is used here of `node-llama-cpp`, whose types come with a package that is installed at first use. */
interface NodeLlama {
  readonly getLlama: (options: {
    gpu: false;
    build: 'never';
    maxThreads: number;
    skipDownload: true;
    logLevel: 'error' | 'disabled';
  }) => Promise<Llama>;
}
interface Llama {
  loadModel(options: { modelPath: string; vocabOnly?: boolean }): Promise<LlamaModel>;
}
interface LlamaModel {
  dispose(): Promise<void>;
  tokenize(text: string, specialTokens: boolean): readonly number[];
  createContext(options: ContextOptions): Promise<LlamaContext>;
}
type CacheType = 'F32' | 'F16';
interface ContextOptions {
  readonly contextSize: number;
  readonly batchSize: number;
  readonly threads: number;
  readonly flashAttention: boolean;
  readonly experimentalKvCacheKeyType: CacheType;
  readonly experimentalKvCacheValueType: CacheType;
}
type Next = 'probabilities' | 'logits' | 'token';
type EvaluateItem = number | readonly [number, { readonly generateNext: Readonly<Partial<Record<Next, true>>> }];
interface LlamaSequence {
  controlledEvaluate(
    items: readonly EvaluateItem[],
  ): Promise<readonly ({ readonly next: Readonly<Partial<Record<'probabilities' | 'logits', Map<number, number>>>> } | undefined)[]>;
}
interface LlamaContext {
  /** The binding, which is no part of the package's promises: the version is fixed for it. */
  readonly _ctx: { removeTokenCellsFromSequence(sequence: number, from: number, to: number): boolean };
  getSequence(): LlamaSequence;
  dispose(): Promise<void>;
}

/** llama.cpp's number of a context's first sequence, and here its only one. */
const onlySequence = 0;

/** A model in llama.cpp, with a key-value cache in float32 unless it is asked otherwise. */
export class LlamaCpp {
  /** What each set of options started in this process: it tries the library in a process of its own, which takes a second. */
  private static readonly started = new Map<string, Promise<Llama>>();

  private constructor(
    private readonly model: LlamaModel,
    private readonly threads: number,
  ) {}

  /**
   * Installs `node-llama-cpp` with its CPU binary once, in `folder`, and loads a GGUF file.
   *
   * @param vocabOnly whether only its tokenizer is loaded
   */
  static async open(folder: string, modelPath: string, threads: number, vocabOnly = false): Promise<LlamaCpp> {
    const { getLlama } = (await import(pathToFileURL(await installLlama(folder)).href)) as NodeLlama;
    // A file of a tokenizer alone has no tensors, which llama.cpp says, and takes it all the same.
    const logLevel = vocabOnly ? 'disabled' : 'error';
    const key = `${folder} ${threads} ${logLevel}`;
    const llama = this.started.get(key) ?? getLlama({ gpu: false, build: 'never', maxThreads: threads, skipDownload: true, logLevel });
    this.started.set(key, llama);
    return new LlamaCpp(await (await llama).loadModel({ modelPath, vocabOnly }), threads);
  }

  /** The tokens of a text, without those that are added around it. Special tokens are found in it. */
  tokensOf(text: string): readonly number[] {
    return this.model.tokenize(text, true);
  }

  /** A context for N tokens; `batchSize` tokens are evaluated at once. @param cache type of its keys and values */
  async context(tokens: number, batchSize: number, flashAttention: boolean, cache: CacheType = 'F32'): Promise<LlamaContext> {
    const types = { experimentalKvCacheKeyType: cache, experimentalKvCacheValueType: cache };
    return this.model.createContext({ contextSize: tokens + 64, batchSize, threads: this.threads, flashAttention, ...types });
  }

  async close(): Promise<void> {
    await this.model.dispose();
  }
}

/**
 * Evaluates a prompt in a context that has seen nothing, then further tokens one by one.
 *
 * @param prompt how many of the tokens are its
 * @param onToken called when the next token is known: after the prompt, and after each token
 * @returns the probabilities of the token after the last, `[vocabulary]`
 */
export async function continueWithLlama(
  context: LlamaContext,
  tokens: Int32Array,
  prompt: number,
  onToken: () => void,
): Promise<Float32Array> {
  const sequence = context.getSequence();
  // A token to be chosen is what a user asks for; a map of all probabilities takes longer than a small model's step.
  const chosen = (token: number): EvaluateItem => [token, { generateNext: { token: true } }];
  await sequence.controlledEvaluate([...tokens.subarray(0, prompt - 1), chosen(tokens[prompt - 1])]);
  onToken();
  const last = tokens.length - 1;
  for (const token of tokens.subarray(prompt, last)) {
    await sequence.controlledEvaluate([chosen(token)]);
    onToken();
  }
  const [result] = await sequence.controlledEvaluate([[tokens[last], { generateNext: { probabilities: true } }]]);
  const probabilities = result?.next.probabilities;
  if (probabilities === undefined) {
    throw new Error('llama.cpp gave no probabilities.');
  }
  return Float32Array.from({ length: probabilities.size }, (_, token) => probabilities.get(token) ?? 0);
}

/**
 * The logits of the next token after every position of a prompt, `[N][vocabulary]`, in a context that has seen nothing.
 *
 * @param window tokens that a token sees in every layer, itself included. llama.cpp has no such window for these models: it
 * reads one token after the other, and keys and values that have left the window are taken out of its cache
 */
export async function logitsWithLlama(context: LlamaContext, tokens: Int32Array, window = Infinity): Promise<number[][]> {
  const sequence = context.getSequence();
  const items = Array.from(tokens, (token): EvaluateItem => [token, { generateNext: { logits: true } }]);
  if (window >= tokens.length) {
    return (await sequence.controlledEvaluate(items)).map(rowOf);
  }
  const rows: number[][] = [];
  for (const [position, item] of items.entries()) {
    const leaving = position - window;
    if (leaving >= 0 && !context._ctx.removeTokenCellsFromSequence(onlySequence, leaving, leaving + 1)) {
      throw new Error(`llama.cpp did not forget token ${leaving}.`);
    }
    rows.push(...(await sequence.controlledEvaluate([item])).map(rowOf));
  }
  return rows;
}

function rowOf(result: { readonly next: { readonly logits?: Map<number, number> } } | undefined): number[] {
  const logits = result?.next.logits;
  if (logits === undefined) {
    throw new Error('llama.cpp gave no logits.');
  }
  return Array.from({ length: logits.size }, (_, token) => logits.get(token) ?? NaN);
}
