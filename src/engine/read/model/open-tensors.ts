import { CheckpointFiles } from './shards';
import type { TensorSource } from './tensor-source';

/**
 * Opens the tensors of a model: the one place that knows what holds them.
 *
 * @param folder the model's folder
 * @throws InputError if there are none, or a file's header is broken
 */
export function openTensors(folder: string): Promise<TensorSource> {
  return CheckpointFiles.open(folder);
}
