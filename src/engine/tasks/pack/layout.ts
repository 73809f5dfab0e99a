import { InputError } from '../../../core/errors';
import type { TokenizerDescription } from '../../../core/report/tokenizer';
import type { ModelFolder } from '../../read/model/load';
import type { Prompt } from '../../prompt';
import { PromptTokenizer } from '../../read/tokenizer/tokenizer';
import { checkRunnable, checkVocabulary } from '../../tokenizer/vocabulary';

/** A prompt to be packed. */
export interface TokenizedPrompt {
  readonly path: string;
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
  checkRunnable(model.name, tokenizer.source);
  const tokenized = prompts.map(({ path, text }) => {
    const tokens = tokenizer.encode(text);
    if (tokens.length === 0) {
      throw new InputError(`${path} has no token; give a prompt of at least one.`);
    }
    checkVocabulary(tokens, model, tokenizer.source);
    return { path, tokens };
  });
  return { tokenized, tokenizer: tokenizer.source };
}
