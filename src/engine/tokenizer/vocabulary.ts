import { InputError } from '../../core/errors';
import type { ModelFolder } from '../model/load';

/** @throws InputError for a token that the model has no embedding for */
export function checkVocabulary(tokens: Int32Array, { folder, config }: ModelFolder): void {
  const { vocabulary } = config.shape;
  const stray = tokens.find((token) => token >= vocabulary);
  if (stray !== undefined) {
    throw new InputError(`${folder}: tokenizer.json gives token ${stray} but config.json has a vocabulary of ${vocabulary}; they belong to different models.`);
  }
}
