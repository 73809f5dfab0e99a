import { InputError } from '../../../core/errors';
import { quoted } from '../../../core/text/printable';
import { refuse } from './fields';

/**
 * Which layers attend in a window, where `layer_types` lists them.
 *
 * @param types the field; undefined or null leaves it to the architecture's rule
 * @param count `num_hidden_layers`
 * @throws InputError for a kind of layer that is not supported, or a list that is not one entry per layer
 */
export function slidingLayers(types: readonly string[] | null | undefined, count: number, path: string): readonly boolean[] | undefined {
  if (types === undefined || types === null) {
    return undefined;
  }
  if (types.length !== count) {
    throw new InputError(`${path}: layer_types has ${types.length} entries but num_hidden_layers is ${count}; correct one of them.`);
  }
  return types.map((type) => {
    if (type !== 'full_attention' && type !== 'sliding_attention') {
      refuse(path, `layer type ${quoted(type)}`, 'a model with full_attention and sliding_attention');
    }
    return type === 'sliding_attention';
  });
}
