import { InputError } from '../../core/errors';
import { cutWindows, specialTokens, type EvaluationWindow, type SpecialTokens } from '../../core/evaluate/windows';
import type { Experiment } from '../../core/evaluate/experiment';
import type { ModelFolder } from '../read/model/load';
import type { Prompt } from '../prompt';
import type { PromptTokenizer } from '../read/tokenizer/tokenizer';
import { checkVocabulary } from '../tokenizer/vocabulary';

/** A prompt of an experiment. */
export interface ExperimentText {
  readonly prompt: Prompt;
  /** N, special tokens included. */
  readonly tokens: number;
  /** Token ids without special tokens. */
  readonly text: Int32Array;
  readonly specials: SpecialTokens;
  readonly windows: readonly EvaluationWindow[];
}

/**
 * Tokenizes prompts and cuts them into windows.
 *
 * @param sizes context and stride, both above 0
 * @throws InputError for a tokenizer that is not this model's, and a context that leaves no room
 */
export function readTexts(
  prompts: readonly Prompt[],
  tokenizer: PromptTokenizer,
  model: ModelFolder,
  { maximumWindows }: Pick<Experiment, 'maximumWindows'>,
  sizes: { readonly context: number; readonly stride: number },
): ExperimentText[] {
  return prompts.map((prompt) => {
    const whole = tokenizer.encode(prompt.text);
    if (whole.length === 0) {
      throw new InputError(`${prompt.path} has no token; give a prompt of at least one.`);
    }
    checkVocabulary(whole, model, tokenizer.source);
    const text = Int32Array.from(tokenizer.encodePart(prompt.text));
    const specials = specialTokens(whole, text);
    const windows = cutWindows(text, specials, sizes.context, sizes.stride, model.config.predicts === 'next');
    return { prompt, tokens: whole.length, text, specials, windows: maximumWindows > 0 ? windows.slice(0, maximumWindows) : windows };
  });
}
