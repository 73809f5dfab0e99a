import { kindAt } from './found/folders';
import { GgufTensors } from './gguf/tensors';
import { checkFolder, CheckpointFiles } from './shards';
import type { TensorSource } from './tensor-source';

/**
 * Opens the tensors of a model: the one place that knows what holds them.
 *
 * @param model the model's folder, or its GGUF file
 * @throws InputError if there are none, or a file's header is broken
 */
export async function openTensors(model: string): Promise<TensorSource> {
  return (await kindAt(model)) === 'file' ? GgufTensors.open(model) : CheckpointFiles.open(model);
}

/** Refuses to run a model without weights. @param model its folder, or its GGUF file, which has them @throws InputError */
export async function checkWeights(model: string): Promise<void> {
  if ((await kindAt(model)) !== 'file') {
    await checkFolder(model);
  }
}
