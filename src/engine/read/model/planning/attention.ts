import * as z from 'zod';
import { said, text } from '../../../../core/l10n';
import type { LayerShape } from '../../../../core/shapes';
import { quoted } from '../../../../core/text/printable';
import { checkHeads, refuse, width } from '../architectures/fields';
import type { FieldReader } from './field-reader';

/** The attention of a layer, or what a layer without attention has in its place. */
export type AttentionShape = Omit<LayerShape, 'feedForwardWidth' | 'feedForward'>;

/** What is peculiar to the attention of a model type. */
export interface AttentionRules {
  /** Keys and values are products of one short vector a token (multi-head latent attention). */
  readonly latent?: boolean;
  /** The head width does not follow from the residual stream's; transformers' default. */
  readonly headWidth?: number;
  /** Queries come with as many gates, on the attention output. */
  readonly gatedOutput?: boolean;
}

/** MPT's own part for attention: all heads with keys of their own, and scores that fall with distance. */
const mptAttention = z.strictObject({
  alibi: z.literal(true),
  prefix_lm: z.literal(false).nullish(),
  attn_type: z.literal('multihead_attention').optional(),
  attn_impl: z.string().optional(),
  attn_uses_sequence_id: z.literal(false).nullish(),
  alibi_bias_max: z.number().optional(),
  attn_pdrop: z.number().optional(),
  clip_qkv: z.number().nullish(),
  softmax_scale: z.number().nullish(),
  qk_ln: z.boolean().nullish(),
  model_type: z.string().optional(),
});

const wide = z.number().int().nonnegative().max(1_048_576);

/** The attention of the layers that attend, if they are alike. @throws InputError if a field is missing, or heads do not divide */
export function attentionShape(fields: FieldReader, d: number, rules: AttentionRules = {}): AttentionShape {
  const heads = fields.need(width, 'num_attention_heads', 'n_head', 'n_heads', 'num_heads');
  fields.maybe(mptAttention, 'attn_config');
  if (rules.latent === true) {
    return latentShape(fields, d, heads);
  }
  const single = fields.flag('multi_query') ? 1 : undefined;
  const keyValueHeads = fields.maybe(width, 'num_key_value_heads', 'num_kv_heads', 'n_head_kv', 'num_attention_groups') ?? single ?? heads;
  const headWidth = fields.maybe(width, 'head_dim', 'attention_head_dim', 'kv_channels') ?? rules.headWidth ?? d / heads;
  const valueWidth = fields.maybe(width, 'v_head_dim');
  const shape = { heads, keyValueHeads, headWidth, ...(valueWidth !== undefined && { valueWidth }) };
  checkHeads(shape, fields.path, false);
  return rules.gatedOutput === true && fields.flag('attn_output_gate', true)
    ? { ...shape, projection: d * headWidth * (2 * heads + 2 * keyValueHeads) }
    : shape;
}

const otherSetting = z.strictObject({
  attention_type: z.literal('sliding_attention').optional(),
  num_attention_heads: width,
  num_attention_groups: width,
  head_dim: width,
  true_head_dim: width.optional(),
});

/**
 * The attention of the layers with a window, if the configuration describes it apart: MiMo-V2 by fields that begin with `swa_`,
 * Step 3.5 by `attention_other_setting`; else that of all layers.
 */
export function localShape(fields: FieldReader, all: AttentionShape): AttentionShape {
  const other = fields.maybe(otherSetting, 'attention_other_setting');
  const valueWidth = fields.maybe(width, 'swa_v_head_dim') ?? all.valueWidth;
  const shape = {
    ...all,
    heads: other?.num_attention_heads ?? fields.maybe(width, 'swa_num_attention_heads') ?? all.heads,
    keyValueHeads: other?.num_attention_groups ?? fields.maybe(width, 'swa_num_key_value_heads') ?? all.keyValueHeads,
    headWidth: other?.head_dim ?? fields.maybe(width, 'swa_head_dim') ?? all.headWidth,
    ...(valueWidth !== undefined && { valueWidth }),
  };
  checkHeads(shape, fields.path, false);
  return shape;
}

/** DeepSeek-V2 (arXiv 2405.04434), section 2.1, as it is for a prompt: keys and values of every head are made from the latent. */
function latentShape(fields: FieldReader, d: number, heads: number): AttentionShape {
  const plain = fields.need(wide, 'qk_nope_head_dim');
  const rotated = fields.need(wide, 'qk_rope_head_dim');
  const valueWidth = fields.need(width, 'v_head_dim');
  const latent = fields.need(width, 'kv_lora_rank');
  const queryLatent = fields.maybe(width, 'q_lora_rank');
  const headWidth = plain + rotated;
  const stated = fields.maybe(width, 'qk_head_dim');
  if (stated !== undefined && stated !== headWidth) {
    fields.stop('qk_head_dim', said`qk_nope_head_dim and qk_rope_head_dim make ${headWidth}`);
  }
  // Of the two, head_dim is the rotated part's width, and every head has its own keys.
  fields.maybe(z.unknown(), 'head_dim');
  fields.maybe(z.unknown(), 'num_key_value_heads');
  const queries = queryLatent === undefined ? d * heads * headWidth : queryLatent * (d + heads * headWidth);
  const keys = d * (latent + rotated) + latent * heads * (plain + valueWidth);
  // The indexer's keys are kept beside the latent, of which all keys and values are made again.
  const picking = fields.maybe(width, 'index_head_dim') ?? 0;
  return { heads, keyValueHeads: heads, headWidth, valueWidth, projection: queries + keys, cacheWidth: latent + rotated + picking };
}

/** Whether a configuration has the fields of a layer without attention whose products are known. */
export function idleShape(fields: FieldReader, d: number, { headWidth }: AttentionShape): AttentionShape {
  return { heads: 0, keyValueHeads: 0, headWidth, projection: gatedDelta(fields, d) ?? mamba(fields, d) ?? 0 };
}

/** Gated DeltaNet as Qwen has it: queries, keys, values and output gates, two numbers a head, and the output. */
function gatedDelta(fields: FieldReader, d: number): number | undefined {
  const keyHeads = fields.maybe(width, 'linear_num_key_heads');
  if (keyHeads === undefined) {
    return undefined;
  }
  const valueHeads = fields.need(width, 'linear_num_value_heads');
  const keys = keyHeads * fields.need(width, 'linear_key_head_dim');
  const values = valueHeads * fields.need(width, 'linear_value_head_dim');
  fields.maybe(z.unknown(), 'linear_conv_kernel_dim');
  return d * (2 * keys + 2 * values + 2 * valueHeads) + values * d;
}

/** Mamba 2: gates and inputs, two projections of the state for each group, a step a head, and the output. */
function mamba(fields: FieldReader, d: number): number | undefined {
  const heads = fields.maybe(width, 'mamba_num_heads', 'mamba_n_heads');
  if (heads === undefined) {
    return undefined;
  }
  const inner = heads * fields.need(width, 'mamba_head_dim', 'mamba_d_head');
  const groups = fields.need(width, 'n_groups', 'mamba_n_groups');
  const state = fields.need(width, 'ssm_state_size', 'mamba_d_state');
  // The width is also given by an expansion; the heads' is the one that is used.
  for (const name of ['expand', 'mamba_expand', 'conv_kernel', 'mamba_d_conv', 'chunk_size', 'mamba_chunk_size', 'mamba_dt_rank']) {
    fields.maybe(z.unknown(), name);
  }
  return d * (2 * inner + 2 * groups * state + heads) + inner * d;
}

/** What a layer is, where every layer has one half only: attention, a feed-forward network, or a recurrence. */
export type HalfLayer = 'attention' | 'feed-forward' | 'recurrence';

const patternLetters: Readonly<Record<string, HalfLayer>> = { '*': 'attention', E: 'feed-forward', '-': 'feed-forward', M: 'recurrence' };
const blockTypes: Readonly<Record<string, HalfLayer>> = {
  attention: 'attention',
  moe: 'feed-forward',
  mlp: 'feed-forward',
  mamba: 'recurrence',
};

/** The layers of a Nemotron-H, which are halves; undefined if the configuration does not list them. */
export function halfLayers(fields: FieldReader, layers: number): readonly HalfLayer[] | undefined {
  const pattern = fields.maybe(z.string().max(4096), 'hybrid_override_pattern');
  const types = fields.perLayer(z.string(), 'layers_block_type', layers);
  const words = types ?? (pattern === undefined ? undefined : Array.from(pattern));
  if (words === undefined) {
    return undefined;
  }
  const known = types === undefined ? patternLetters : blockTypes;
  const name = types === undefined ? 'hybrid_override_pattern' : 'layers_block_type';
  if (words.length !== layers) {
    fields.stop(name, said`it describes ${words.length} layers and num_hidden_layers is ${layers}`);
  }
  return words.map((word) =>
    Object.hasOwn(known, word)
      ? known[word]
      : refuse(fields.path, `${name} ${quoted(word)}`, text('a model whose kinds of layer are known')),
  );
}
