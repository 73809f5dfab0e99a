import { InputError } from '../../../core/errors';
import { shown } from '../../../core/text/printable';
import type { Adapter } from './adapter/adapter';
import { AdaptedTensors } from './adapter/adapted-tensors';
import type { ReadConfig } from './architecture';
import { kindAt } from './found/folders';
import { GgufTensors } from './gguf/tensors';
import { QuantisedTensors } from './quantised/quantised-tensors';
import { checkFolder, CheckpointFiles } from './shards';
import type { TensorSource } from './tensor-source';

/**
 * Opens the tensors of a model: the one place that knows what holds them.
 *
 * @throws InputError if there are none, a file's header is broken, or quantised weights are not as the configuration says, or an
 * adapter does not fit
 */
export async function openTensors({
  folder,
  config,
  adapter,
}: {
  /** The model's folder, or its GGUF file; of an adapter's model, the base's. */
  readonly folder: string;
  readonly config: Pick<ReadConfig, 'stored' | 'modelType' | 'run'>;
  /** Stands before them. */
  readonly adapter?: Adapter;
}): Promise<TensorSource> {
  const own = await openCheckpoint(folder, config);
  return adapter === undefined ? own : AdaptedTensors.open(own, adapter, config);
}

/** Opens the tensors of a folder or a GGUF file, without an adapter. @throws InputError as `openTensors` does */
export async function openCheckpoint(folder: string, { stored }: Pick<ReadConfig, 'stored'>): Promise<TensorSource> {
  if ((await kindAt(folder)) === 'file') {
    return GgufTensors.open(folder);
  }
  const files = await CheckpointFiles.open(folder);
  if (stored?.quantisation !== undefined) {
    return QuantisedTensors.over(files, stored.format, stored.quantisation);
  }
  if (stored === undefined) {
    checkNotPacked(files);
  }
  return files;
}

/** Refuses to run a model without weights. @param model its folder, or its GGUF file, which has them @throws InputError */
export async function checkWeights(model: string): Promise<void> {
  if ((await kindAt(model)) !== 'file') {
    await checkFolder(model);
  }
}

/** Refuses quantised weights of which no configuration says how they are. @throws InputError that names one */
function checkNotPacked(files: CheckpointFiles): void {
  for (const name of files.names) {
    const { type = '' } = files.storedOf(name) ?? {};
    if (name.endsWith('.qweight') || (/^(F8_.*|U8|U32)$/.test(type) && /(\.weight|_blocks)$/.test(name))) {
      throw new InputError(
        `${shown(name, 100)} is stored as ${shown(type)}, as quantised weights are, and no quantization_config says how; download config.json, or hf_quant_config.json, again.`,
      );
    }
  }
}
