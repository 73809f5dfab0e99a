import { said, text } from '../../../../core/l10n';
import * as z from 'zod';
import { width } from '../architectures/fields';
import type { AttentionShape } from './attention';
import type { FeedForward } from './feed-forward';
import type { FieldReader } from './field-reader';
import type { LayerMask } from './masks';

const count = z.number().int().nonnegative().max(4096);

/**
 * The layers of a Gemma 4: global ones have heads of another width, fewer keys and values that are their keys; the last ones
 * may use the keys and values of earlier layers.
 *
 * @param masks those with a window are the local layers
 * @param attention of the local layers
 */
export function gemma4Layers(
  fields: FieldReader,
  d: number,
  masks: readonly LayerMask[],
  attention: AttentionShape,
  networks: readonly FeedForward[],
): { layers: { mask: LayerMask; attention: AttentionShape; network: FeedForward }[]; notes: string[] } {
  const sameValues = fields.flag('attention_k_eq_v');
  const globalKeys = fields.maybe(width, 'num_global_key_value_heads');
  const globalWidth = fields.maybe(width, 'global_head_dim') ?? attention.headWidth;
  const sharing = fields.maybe(count, 'num_kv_shared_layers') ?? 0;
  const wider = fields.flag('use_double_wide_mlp');
  const images = fields.maybe(z.enum(['vision', 'all']), 'use_bidirectional_attention');
  if (images === 'all') {
    fields.stop('use_bidirectional_attention', text('queries see later keys'));
  }
  const perLayerInput = fields.maybe(count.max(1_048_576), 'hidden_size_per_layer_input') ?? 0;
  const layers = masks.map((mask, layer) => {
    const shares = layer >= masks.length - sharing && masks.length > sharing;
    const isGlobal = mask?.kind === 'causal';
    const own = isGlobal
      ? {
          ...attention,
          headWidth: globalWidth,
          keyValueHeads: sameValues ? (globalKeys ?? attention.keyValueHeads) : attention.keyValueHeads,
        }
      : attention;
    const { heads, keyValueHeads, headWidth } = own;
    // With shared keys there are queries only; where values are the keys, there is no projection for them.
    const products = shares ? heads : isGlobal && sameValues ? heads + keyValueHeads : undefined;
    const network = networks[layer];
    return {
      mask,
      attention: {
        ...own,
        ...(products !== undefined && { projection: d * headWidth * products }),
        ...(shares && { cacheWidth: 0 }),
      },
      network: shares && wider ? { ...network, used: 2 * network.used, stored: 2 * network.stored } : network,
    };
  });
  return {
    layers,
    notes: [
      ...(images === undefined
        ? []
        : [
            text(
              'Text is planned as it is read: causal. The tokens of one image see each other on both sides (use_bidirectional_attention).',
            ),
          ]),
      ...(sharing === 0
        ? []
        : [
            said`The last ${sharing} layers use the keys and values of earlier ones (num_kv_shared_layers): only their queries are counted.`,
          ]),
      ...(perLayerInput === 0
        ? []
        : [text('The inputs of each layer from a table of its own (hidden_size_per_layer_input) are stored and not counted as work.')]),
    ],
  };
}
