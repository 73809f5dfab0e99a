import { InputError } from '../../core/errors';
import type { TokenizerDescription } from '../../core/report/tokenizer';
import type { ModelFolder } from '../read/model/load';

/**
 * Refuses tokens that the model has no embedding for. Those of an encoding that only estimates their number may lie outside.
 *
 * @throws InputError that names the token
 */
export function checkVocabulary(tokens: Int32Array, { folder, config }: ModelFolder, { name, exact }: TokenizerDescription): void {
  const { vocabulary } = config.shape;
  const stray = exact ? tokens.find((token) => token < 0 || token >= vocabulary) : undefined;
  if (stray !== undefined) {
    throw new InputError(
      `${folder}: ${name} gives token ${stray} but config.json has a vocabulary of ${vocabulary}; they belong to different models.`,
    );
  }
}

/** Refuses to run tokens that are not the model's own. @throws InputError that names what stands in for its tokenizer */
export function checkRunnable(model: string, { name, exact }: TokenizerDescription): void {
  if (!exact) {
    throw new InputError(
      `${model} can be planned, not run: ${name} only estimates its tokens; to run it, give the model's folder with tokenizer.json and weights.`,
    );
  }
}
