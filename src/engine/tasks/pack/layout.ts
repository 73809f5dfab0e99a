import { type SeparationVector, separationVectors } from '../../../core/construct/separation';
import { InputError } from '../../../core/errors';
import type { TokenizerDescription } from '../../../core/report/report';
import type { PromptText } from '../../../core/source/prompt-text';
import type { ModelFolder } from '../../read/model/load';
import { checkVariables } from '../../../core/source/variables';
import type { Prompt } from '../../read/prompt';
import { readingModel, readSource } from '../../read/source/read-source';
import { checkRunnable, checkVocabulary, PromptTokenizer } from '../../read/tokenizer/tokenizer';
import { interruptible } from '../../interruptible';

/** A prompt to be packed. */
export interface TokenizedPrompt {
  readonly path: string;
  /** What the model reads of it. */
  readonly read: PromptText;
  /** Token ids `[N_i]`, at least one. */
  readonly tokens: Int32Array;
}

/**
 * Tokenizes the prompts of a pack.
 *
 * @throws InputError for no prompts, a prompt without a token, or a tokenizer that is not this model's own
 */
export async function tokenizePrompts(
  prompts: readonly Prompt[],
  model: ModelFolder,
): Promise<{ readonly tokenized: TokenizedPrompt[]; readonly tokenizer: TokenizerDescription }> {
  if (prompts.length === 0) {
    throw new InputError('There are no prompts to pack; give prompt files, a folder of them, or --list with a file of one prompt a line.');
  }
  const tokenizer = await PromptTokenizer.load(model.folder);
  checkRunnable(model, tokenizer.source);
  const reading = await readingModel(model);
  const tokenized: TokenizedPrompt[] = [];
  for (const prompt of prompts) {
    const read = interruptible(() => readSource(prompt, reading));
    const tokens = interruptible(() => tokenizer.for(read).encode(read.text));
    if (tokens.length === 0) {
      throw new InputError(`${prompt.path} has no token; give a prompt of at least one.`);
    }
    checkVocabulary(tokens, model, tokenizer.source);
    tokenized.push({ path: prompt.path, tokens, read });
  }
  checkVariables(
    prompts[0].source.variables,
    tokenized.map(({ read }) => read),
  );
  return { tokenized, tokenizer: tokenizer.source };
}

/** Where each prompt lies in a packed sequence, and what keeps it apart from the others. */
export interface PackLayout {
  /** N: all prompts together. */
  readonly tokens: number;
  /** w: entries of a separation vector; 0 for a prompt alone. */
  readonly separationWidth: number;
  readonly prompts: readonly PromptPlace[];
}

/** One prompt's rows `[from, to)` of the packed sequence. */
export interface PromptPlace {
  readonly from: number;
  readonly to: number;
  readonly separation: SeparationVector;
}

/**
 * Lays prompts side by side in the order given (theorem 4.2).
 *
 * The theorem's sequences all have M tokens; nothing in its proof needs that, so these have the lengths they have.
 * @param lengths tokens of each prompt, at least one prompt
 */
export function packLayout(lengths: readonly number[]): PackLayout {
  const vectors = separationVectors(lengths.length);
  let tokens = 0;
  const prompts = lengths.map((length, index) => {
    const from = tokens;
    tokens += length;
    return { from, to: tokens, separation: vectors[index] };
  });
  return { tokens, separationWidth: vectors[0].query.length, prompts };
}
