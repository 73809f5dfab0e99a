import type { Adapter } from './adapter/adapter';
import { AdaptedTensors } from './adapter/adapted-tensors';
import type { ReadConfig } from './architecture';
import { CheckpointFiles } from './shards';
import type { TensorSource } from './tensor-source';

/**
 * Opens the tensors of a model: the one place that knows what holds them.
 *
 * @param folder the model's folder
 * @param adapter stands before them
 * @throws InputError if there are none, a file's header is broken, or the adapter does not fit
 */
export async function openTensors(folder: string, config: Pick<ReadConfig, 'modelType' | 'run'>, adapter?: Adapter): Promise<TensorSource> {
  const own = await CheckpointFiles.open(folder);
  return adapter === undefined ? own : AdaptedTensors.open(own, adapter, config);
}
