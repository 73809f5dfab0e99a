import * as z from 'zod';
import { text } from '../../../../core/l10n';
import { layers as layerCount, width } from '../architectures/fields';
import type { FieldReader } from './field-reader';

/** The feed-forward network of one layer. */
export interface FeedForward {
  /** Inner width that a token goes through. */
  readonly used: number;
  /** Inner width of all that is stored, experts that a token does not go to included. */
  readonly stored: number;
  /** Experts among which a router chooses; 0 in a dense layer. */
  readonly experts: number;
}

/** What is peculiar to the experts of a model type. */
export interface ExpertRules {
  /** Every layer has its dense network beside the experts (Gemma 4). */
  readonly denseBeside?: boolean;
  /** One shared expert as wide as the others, and a field of its own for dense layers (Llama 4). */
  readonly llama4?: boolean;
}

const count = z.number().int().nonnegative().max(65_536);
const zeroOrWidth = z.number().int().nonnegative().max(1_048_576);

/**
 * The feed-forward network of every layer: dense, or a mixture of experts of which a token goes to some.
 *
 * @param standard the inner width if none is stated; undefined if it must be
 */
export function feedForwards(
  fields: FieldReader,
  layers: number,
  standard: number | undefined,
  rules: ExpertRules = {},
): readonly FeedForward[] {
  const stated = fields.maybe(width, 'intermediate_size', 'n_inner', 'ffn_hidden_size', 'ffn_dim', 'intermediate_dim');
  const experts = fields.maybe(count, 'num_local_experts', 'n_routed_experts', 'num_experts', 'moe_num_experts') ?? 0;
  const denseWidth = rules.llama4 === true ? fields.maybe(width, 'intermediate_size_mlp') : stated;
  const dense = (): number => denseWidth ?? standard ?? fields.need(width, 'intermediate_size');
  const enabled = rules.denseBeside !== true || fields.flag('enable_moe_block');
  if (experts === 0 || !enabled) {
    const shared = fields.maybe(zeroOrWidth, 'shared_intermediate_size') ?? 0;
    // Fields of experts, of which there are none.
    for (const name of ['num_experts_per_tok', 'moe_intermediate_size', 'decoder_sparse_step', 'mlp_only_layers', 'top_k_experts']) {
      fields.maybe(z.unknown(), name);
    }
    const only = shared > 0 ? shared : dense();
    return Array.from({ length: layers }, () => ({ used: only, stored: only, experts: 0 }));
  }
  const names = ['num_experts_per_tok', 'experts_per_token', 'num_experts_per_token', 'top_k_experts', 'moe_topk', 'moe_k', 'moe_top_k'];
  const chosen = fields.need(count.min(1).max(experts), ...names);
  const each =
    fields.maybe(width, 'moe_intermediate_size', 'moe_ffn_hidden_size', 'expert_dim') ??
    fields.need(width, 'intermediate_size', 'ffn_hidden_size', 'ffn_dim');
  const shared = rules.llama4 === true ? each : sharedWidth(fields, each);
  const sparse = sparseLayers(fields, layers);
  return sparse.map((isSparse) => {
    const beside = !isSparse || rules.denseBeside === true ? dense() : 0;
    const moe = isSparse ? { used: chosen * each + shared, stored: experts * each + shared } : { used: 0, stored: 0 };
    return { used: beside + moe.used, stored: beside + moe.stored, experts: isSparse ? experts : 0 };
  });
}

/** Inner width of the experts that every token goes to. */
function sharedWidth(fields: FieldReader, each: number): number {
  const shared = fields.maybe(count, 'n_shared_experts', 'num_shared_experts', 'moe_num_shared_experts') ?? 0;
  const own = fields.maybe(zeroOrWidth, 'shared_expert_intermediate_size', 'shared_intermediate_size', 'share_expert_dim');
  const ofEach = fields.maybe(zeroOrWidth, 'moe_shared_expert_intermediate_size') ?? each;
  return own ?? shared * ofEach;
}

/** Which layers have experts: by a list, or by the rules of DeepSeek, Qwen and Llama 4. */
function sparseLayers(fields: FieldReader, layers: number): readonly boolean[] {
  const types = fields.perLayer(z.enum(['dense', 'sparse']), 'mlp_layer_types', layers);
  const dense = fields.maybe(z.number().int().nonnegative(), 'first_k_dense_replace', 'num_dense_layers', 'moe_layer_start_index') ?? 0;
  const frequency = fields.maybe(z.union([layerCount, z.array(z.number().int().min(0).max(1)).length(layers)]), 'moe_layer_freq') ?? 1;
  const step = fields.maybe(z.number().int().nonnegative(), 'decoder_sparse_step', 'interleave_moe_layer_step') ?? 1;
  const onlyDense = new Set(fields.maybe(z.array(z.number().int().nonnegative()), 'mlp_only_layers'));
  const named = fields.maybe(z.string().regex(/^\d{1,4}(,\d{1,4})*$/, text('is no list of layers')), 'moe_layers_enum');
  const listed = named?.split(',').map(Number) ?? fields.maybe(z.array(z.number().int().nonnegative()), 'moe_layers');
  return Array.from({ length: layers }, (_, layer) => {
    if (types !== undefined) {
      return types[layer] === 'sparse';
    }
    if (listed !== undefined) {
      return listed.includes(layer);
    }
    const byFrequency = typeof frequency === 'number' ? layer % frequency === 0 : frequency[layer] === 1;
    return layer >= dense && byFrequency && step > 0 && (layer + 1) % step === 0 && !onlyDense.has(layer);
  });
}
