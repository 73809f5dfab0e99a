import * as z from 'zod';
import { said, text } from '../../../../core/l10n';
import type { ModelShape } from '../../../../core/shapes';
import type { ArchitectureReader, ModelConfig } from '../architecture';
import { type Checkpoint, type HeadPlace, headPlace, outputHead, parametersOf, type StoredLayer } from '../weights';
import { checkHeads, epsilon, factor, fixedFlag, flag, layers, readFields, refuse, tokens, vocabulary, width } from './fields';
import { neoxLayer } from './gpt-neox';

/**
 * Slopes of ALiBi (Press et al., arXiv 2108.12409) `[H]`: a geometric sequence down to 2^-largest for heads that are a power of
 * two; for others that of the next lower power, then every second of that of the next higher.
 */
export function alibiSlopes(heads: number, largest: number): number[] {
  const power = 2 ** Math.floor(Math.log2(heads));
  return Array.from({ length: heads }, (_, head) =>
    head < power ? 2 ** ((-largest * (head + 1)) / power) : 2 ** ((-largest * (2 * (head - power) + 1)) / (2 * power)),
  );
}

/** What both models say of themselves. */
interface Parts {
  readonly layers: number;
  readonly heads: number;
  readonly width: number;
  readonly feedForwardWidth: number;
  readonly vocabulary: number;
  readonly epsilon: number;
  readonly trainedTokens: number | undefined;
}

/**
 * The shape of a model whose scores fall with distance. A softmax does not change where all scores of a query do, so the position
 * of the key alone counts, and with it the score is a product of one more column: slope times position.
 */
function alibiConfig(
  parts: Parts,
  checkpoint: Checkpoint,
  own: Pick<ModelConfig, 'modelType' | 'activation' | 'alibi' | 'predicts'> & Partial<Pick<ModelConfig, 'multipliers'>>,
): ModelConfig {
  const { heads, width: d, trainedTokens } = parts;
  const headWidth = d / heads;
  const shape: ModelShape = {
    layers: parts.layers,
    heads,
    keyValueHeads: heads,
    headWidth: headWidth + 1,
    width: d,
    feedForwardWidth: parts.feedForwardWidth,
    vocabulary: parts.vocabulary,
    feedForward: 'plain',
    projection: 3 * d * d,
    cacheWidth: 2 * d,
    parameters: parametersOf(checkpoint),
    attention: { kind: 'causal' },
    ...(trainedTokens !== undefined && { trainedTokens }),
  };
  return {
    ...own,
    shape,
    norm: { kind: 'layer', epsilon: parts.epsilon },
    normPlacement: 'before',
    rotary: undefined,
    checkpoint,
    notes: [
      said`Scores fall with distance (ALiBi), by one more column of queries and keys: heads are ${headWidth + 1} wide in place of ${headWidth}.`,
    ],
  };
}

const bloomSchema = z.object({
  vocab_size: vocabulary.default(250_880),
  hidden_size: width.nullish(),
  n_embed: width.nullish(),
  n_layer: layers.nullish(),
  num_hidden_layers: layers.nullish(),
  n_head: width.nullish(),
  num_attention_heads: width.nullish(),
  n_inner: width.nullish(),
  layer_norm_epsilon: epsilon.default(1e-5),
  apply_residual_connection_post_layernorm: flag(false),
  seq_length: tokens.nullish(),
  tie_word_embeddings: flag(true),
});

/** The reader of BLOOM (arXiv 2211.05100). */
export const bloomReader: ArchitectureReader = {
  keysOf: () => ({
    reads: Object.keys(bloomSchema.shape),
    ignores: {
      attention_softmax_in_fp32: 'a precision',
      masked_softmax_fusion: 'an implementation',
      bias_dropout_fusion: 'an implementation',
      skip_bias_add: 'an implementation',
      skip_bias_add_qkv: 'an implementation',
      slow_but_exact: 'an implementation',
      offset_alibi: 'moves all scores of a query alike',
    },
    neutral: { is_causal: [true], is_decoder: [true, false] },
  }),
  classes: {
    bloom: {
      predicting: ['BloomForCausalLM'],
      others: ['Model', 'ForSequenceClassification', 'ForTokenClassification', 'ForQuestionAnswering'].map((end) => `Bloom${end}`),
    },
  },
  read(json, path, predicts) {
    const fields = readFields(bloomSchema, json, path);
    if (fields.apply_residual_connection_post_layernorm) {
      refuse(path, 'apply_residual_connection_post_layernorm', text('a BLOOM without it'));
    }
    const one = <T>(name: string, ...values: readonly (T | null | undefined)[]): T =>
      values.find((value): value is T => value !== null && value !== undefined) ??
      refuse(path, said`a BLOOM without ${name}`, text('one that states it'));
    const d = one('hidden_size', fields.n_embed, fields.hidden_size);
    const heads = one('n_head', fields.n_head, fields.num_attention_heads);
    const parts: Parts = {
      layers: one('n_layer', fields.n_layer, fields.num_hidden_layers),
      heads,
      width: d,
      feedForwardWidth: fields.n_inner ?? 4 * d,
      vocabulary: fields.vocab_size,
      epsilon: fields.layer_norm_epsilon,
      trainedTokens: fields.seq_length ?? undefined,
    };
    checkHeads({ heads, keyValueHeads: heads, headWidth: d / heads }, path, false);
    const head = headPlace(predicts, fields.tie_word_embeddings);
    return alibiConfig(parts, bloomCheckpoint(parts, head), {
      modelType: 'bloom',
      activation: 'gelu-tanh',
      alibi: { slopes: alibiSlopes(heads, 8) },
      predicts: predicts ? 'next' : 'nothing',
    });
  },
};

function bloomCheckpoint({ width: d, ...parts }: Parts, head: HeadPlace): Checkpoint {
  const vector = (name: string, size = d) => ({ tensor: name, shape: [size] });
  const embedding = { tensor: 'word_embeddings.weight', shape: [parts.vocabulary, d] };
  return {
    prefixes: ['transformer.', ''],
    embedding: {
      words: embedding,
      embeddingNormWeight: vector('word_embeddings_layernorm.weight'),
      embeddingNormBias: vector('word_embeddings_layernorm.bias'),
    },
    layers: Array.from({ length: parts.layers }, (_, layer) => neoxLayer({ width: d, ...parts }, `h.${layer}`, 'self_attention', true)),
    head: {
      finalNormWeight: vector('ln_f.weight'),
      finalNormBias: vector('ln_f.bias'),
      ...outputHead(head, embedding),
    },
  };
}

const mptSchema = z.object({
  vocab_size: vocabulary.default(50_368),
  d_model: width.default(2048),
  n_heads: width.default(16),
  n_layers: layers.default(24),
  expansion_ratio: width.default(4),
  max_seq_len: tokens.default(2048),
  layer_norm_epsilon: epsilon.default(1e-5),
  norm_type: z.enum(['low_precision_layernorm', 'layernorm']).default('low_precision_layernorm'),
  no_bias: fixedFlag(true),
  logit_scale: z.null().optional(),
  tie_word_embeddings: flag(true),
  attn_config: z
    .strictObject({
      alibi: fixedFlag(true),
      alibi_bias_max: z.number().positive().max(64).default(8),
      attn_type: z.literal('multihead_attention').default('multihead_attention'),
      clip_qkv: z.null().optional(),
      prefix_lm: fixedFlag(false),
      qk_ln: fixedFlag(false),
      attn_uses_sequence_id: fixedFlag(false),
      softmax_scale: factor.nullish(),
      // An implementation, dropout in training, and where the file is from.
      attn_impl: z.string().optional(),
      attn_pdrop: z.number().optional(),
      model_type: z.string().optional(),
    })
    .prefault({}),
});

/** The reader of MPT (MosaicML, 2023). */
export const mptReader: ArchitectureReader = {
  keysOf: () => ({
    reads: Object.keys(mptSchema.shape),
    ignores: {
      init_config: 'initial values',
      init_device: 'where it is made',
      emb_pdrop: 'dropout',
      resid_pdrop: 'dropout',
      learned_pos_emb: 'not read where there is ALiBi',
      embedding_fraction: 'a factor of gradients',
      verbose: 'messages',
    },
    neutral: { is_causal: [true], is_decoder: [true, false] },
  }),
  classes: {
    mpt: {
      predicting: ['MptForCausalLM', 'MPTForCausalLM'],
      others: [
        'MPTModel',
        ...['Model', 'ForSequenceClassification', 'ForTokenClassification', 'ForQuestionAnswering'].map((end) => `Mpt${end}`),
      ],
    },
  },
  ownCode: ['configuration_mpt', 'modeling_mpt'],
  read(json, path, predicts) {
    const fields = readFields(mptSchema, json, path);
    const { d_model: d, n_heads: heads, attn_config: attention } = fields;
    const parts: Parts = {
      layers: fields.n_layers,
      heads,
      width: d,
      feedForwardWidth: fields.expansion_ratio * d,
      vocabulary: fields.vocab_size,
      epsilon: fields.layer_norm_epsilon,
      trainedTokens: fields.max_seq_len,
    };
    checkHeads({ heads, keyValueHeads: heads, headWidth: d / heads }, path, false);
    const head = headPlace(predicts, fields.tie_word_embeddings);
    const scores = attention.softmax_scale ?? undefined;
    return alibiConfig(parts, mptCheckpoint(parts, head), {
      modelType: 'mpt',
      activation: 'gelu',
      alibi: { slopes: alibiSlopes(heads, attention.alibi_bias_max) },
      predicts: predicts ? 'next' : 'nothing',
      ...(scores !== undefined && { multipliers: { embedding: 1, scores, residual: 1, logits: 1 } }),
    });
  },
};

function mptCheckpoint({ width: d, ...parts }: Parts, head: HeadPlace): Checkpoint {
  const vector = (name: string) => ({ tensor: name, shape: [d] });
  const embedding = { tensor: 'wte.weight', shape: [parts.vocabulary, d] };
  const inner = parts.feedForwardWidth;
  return {
    prefixes: ['transformer.', ''],
    embedding: { words: embedding },
    layers: Array.from({ length: parts.layers }, (_, index): StoredLayer => {
      const layer = `blocks.${index}`;
      const matrix = (part: string, outputs: number, inputs: number) => ({ tensor: `${layer}.${part}.weight`, shape: [outputs, inputs] });
      const joined = matrix('attn.Wqkv', 3 * d, d);
      return {
        project: {
          attentionNormWeight: vector(`${layer}.norm_1.weight`),
          queryWeight: { ...joined, rows: [0, d] },
          keyWeight: { ...joined, rows: [d, 2 * d] },
          valueWeight: { ...joined, rows: [2 * d, 3 * d] },
        },
        outputAndMlp: {
          outputWeight: matrix('attn.out_proj', d, d),
          mlpNormWeight: vector(`${layer}.norm_2.weight`),
          upWeight: matrix('ffn.up_proj', inner, d),
          downWeight: matrix('ffn.down_proj', d, inner),
        },
      };
    }),
    head: {
      finalNormWeight: vector('norm_f.weight'),
      ...outputHead(head, embedding),
    },
  };
}
