import { type PromptSource, plainSource } from '../../../../src/core/source/options';
import type { PromptText } from '../../../../src/core/source/prompt-text';
import { readSource, type ReadingModel } from '../../../../src/engine/read/source/read-source';

/** A model without a chat template. */
export const plainModel: ReadingModel = { name: 'plain', template: () => undefined };

/** What a model reads of a document. */
export function read(path: string, text: string, source: Partial<PromptSource> = {}, model = plainModel): PromptText {
  return readSource({ path, text, source: { ...plainSource, ...source } }, model);
}
