import { join } from 'node:path';
import { text } from '../../../../core/l10n';
import { exists } from '../../input/regular-file';
import { parseJson } from '../../input/json';
import { inputLimits } from '../../input/limits';
import { readRegularText } from '../../input/text';
import type { ConfigJson } from '../keys';

/** Where NVIDIA's ModelOpt says how weights are quantised, of which `config.json` may say nothing. */
const file = 'hf_quant_config.json';

/**
 * What a file beside `config.json` says of quantised weights, as the key `quantization_config` that counts where `config.json`
 * has none.
 *
 * @throws InputError if there is such a file and it is broken
 */
export async function quantisationBeside(folder: string): Promise<ConfigJson> {
  const path = join(folder, file);
  if (!(await exists(path))) {
    return {};
  }
  const fix = text("restore the model's hf_quant_config.json");
  const json = parseJson(await readRegularText(path, inputLimits.config, fix, fix), path, fix);
  const { quantization: stated, producer } = (typeof json === 'object' && json !== null ? json : {}) as ConfigJson;
  const fields = typeof stated === 'object' && stated !== null ? stated : {};
  return { quantization_config: { ...fields, producer, quant_method: 'modelopt' } };
}
