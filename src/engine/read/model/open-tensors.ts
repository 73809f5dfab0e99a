import { InputError } from '../../../core/errors';
import { shown } from '../../../core/text/printable';
import type { ReadConfig } from './architecture';
import { QuantisedTensors } from './quantised/quantised-tensors';
import { CheckpointFiles } from './shards';
import type { TensorSource } from './tensor-source';

/**
 * Opens the tensors of a model: the one place that knows what holds them.
 *
 * @throws InputError if there are none, a file's header is broken, or quantised weights are not as the configuration says
 */
export async function openTensors({
  folder,
  config: { stored },
}: {
  readonly folder: string;
  readonly config: Pick<ReadConfig, 'stored'>;
}): Promise<TensorSource> {
  const files = await CheckpointFiles.open(folder);
  try {
    if (stored?.quantisation !== undefined) {
      return QuantisedTensors.over(files, stored.format, stored.quantisation);
    }
    if (stored === undefined) {
      checkNotPacked(files);
    }
    return files;
  } catch (error) {
    await files.close();
    throw error;
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
