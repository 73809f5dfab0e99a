import { said, text } from '../../../../core/l10n';
import type { ConfigJson } from '../keys';
import type { MetadataReader } from './metadata-reader';

/** How llama.cpp's metadata of an architecture is read as Hugging Face's configuration: what is peculiar to it. */
interface GgufArchitecture {
  /** The `model_type` that has the same layers. */
  readonly modelType: (keys: MetadataReader) => string;
  /** Fields besides those that all have, or in their place; null or undefined takes one away. */
  readonly own?: (keys: MetadataReader, file: Described) => ConfigJson;
  /** Whether its norms are LayerNorm; RMSNorm otherwise. */
  readonly normsSubtractMean?: true;
  /** Whether a part of each head may rotate: that is in `own` then. */
  readonly rotatesPart?: true;
  /** What the file of a model of this name does not say, a sentence; undefined if that is nothing. */
  readonly assumes?: (keys: MetadataReader, name: string) => string | undefined;
}

/** What is known of a file besides its keys. */
interface Described {
  /** The fields that all have. */
  readonly common: ConfigJson;
  /** Columns of a head that rotate. */
  readonly rotated: number;
  /** Whether it has a tensor. */
  readonly has: (tensor: string) => boolean;
  /** The rows of a tensor; undefined if there is none. */
  readonly rows: (tensor: string) => number | undefined;
}

const windowed = (keys: MetadataReader): ConfigJson => ({ sliding_window: keys.need('attention.sliding_window') });

/** Which biases a Llama has, as its tensors say. */
const biases = (_: MetadataReader, { has }: Described): ConfigJson => ({
  ...(has('blk.0.attn_q.bias') && { attention_bias: true }),
  ...(has('blk.0.ffn_up.bias') && { mlp_bias: true }),
});

/** The fields that have one name everywhere, and no others: for those that have names of their own. */
const nothingBut = (common: ConfigJson): ConfigJson => ({
  ...Object.fromEntries(Object.keys(common).map((key) => [key, null])),
  ...{ model_type: common.model_type, vocab_size: common.vocab_size, tie_word_embeddings: common.tie_word_embeddings },
});

/** A head's share of the width. */
const shareOf = (common: ConfigJson): number => Number(common.hidden_size) / Number(common.num_attention_heads);

/** The same in whole numbers, as llama.cpp divides. */
const wholeShareOf = (common: ConfigJson): number => Math.floor(shareOf(common));

/** The share of a head that rotates, of which the head's width gives these columns again when it is rounded down. */
const rotatedShare = (rotated: number, headWidth: number): number => {
  const share = rotated / headWidth;
  return Math.floor(share * headWidth) < rotated ? share * (1 + Number.EPSILON) : share;
};

const assumesGelu = (family: string) => (): string =>
  said`A GGUF file does not name the activation of a ${family}: GELU is taken, as its published models have.`;

const gptOss: GgufArchitecture = {
  modelType: () => 'gpt_oss',
  own: (keys, { common }) => ({
    ...windowed(keys),
    num_local_experts: keys.need('expert_count'),
    num_experts_per_tok: keys.need('expert_used_count'),
    intermediate_size: keys.maybe('expert_feed_forward_length') ?? keys.need('feed_forward_length'),
    // The ramp of its YaRN is not rounded to whole columns; without metadata it would be that of the published models.
    rope_scaling: common.rope_scaling === undefined ? { rope_type: 'default' } : { ...common.rope_scaling, truncate: false },
  }),
};

/** By `general.architecture`. */
export const ggufArchitectures: Readonly<Record<string, GgufArchitecture>> = {
  // Also what Mistral and Mixtral are converted to.
  llama: {
    modelType: (keys) => (keys.above0('expert_count') ? 'mixtral' : keys.above0('attention.sliding_window') ? 'mistral' : 'llama'),
    own: (keys, file) => ({
      ...(keys.above0('attention.sliding_window') ? windowed(keys) : biases(keys, file)),
      ...(keys.above0('expert_count') && {
        num_local_experts: keys.need('expert_count'),
        num_experts_per_tok: keys.need('expert_used_count'),
        intermediate_size: keys.maybe('expert_feed_forward_length') ?? keys.need('feed_forward_length'),
      }),
    }),
    assumes: (keys, name) =>
      /mistral/i.test(name) && !keys.above0('attention.sliding_window')
        ? text('The GGUF file of this Mistral states no window, which the first release had: it is read without one, as llama.cpp runs it.')
        : undefined,
  },
  qwen2: { modelType: () => 'qwen2' },
  qwen3: { modelType: () => 'qwen3', own: biases },
  smollm3: {
    modelType: () => 'smollm3',
    own: (keys, file) => ({ ...biases(keys, file), no_rope_layer_interval: 4 }),
    assumes: () =>
      text('A GGUF file does not name the layers of a SmolLM3 that have no rope: every fourth, as in llama.cpp and its published models.'),
  },
  granite: {
    modelType: () => 'granite',
    own: (keys, file) => {
      if (keys.flag('rope.scaling.finetuned') === false) {
        keys.lack('rope.scaling.finetuned', text('{0} is false, which turns the rope of a Granite off, and no run does'));
      }
      // As in llama.cpp 0 is as if there were no factor.
      return {
        ...biases(keys, file),
        embedding_multiplier: keys.real('embedding_scale') || 1,
        attention_multiplier: keys.real('attention.scale') || 1 / Math.sqrt(Number(file.common.head_dim)),
        residual_multiplier: keys.real('residual_scale') || 1,
        logits_scaling: keys.needReal('logit_scale'),
      };
    },
  },
  qwen3moe: {
    modelType: () => 'qwen3_moe',
    own: (keys) => ({
      num_experts: keys.need('expert_count'),
      num_experts_per_tok: keys.need('expert_used_count'),
      moe_intermediate_size: keys.need('expert_feed_forward_length'),
      // llama.cpp knows no other weights of experts than those that sum to 1.
      norm_topk_prob: true,
    }),
  },
  // The largest of each has scores by the root of its width over its heads, which llama.cpp knows by its layers.
  gemma2: {
    modelType: () => 'gemma2',
    own: (keys, { common }) => ({
      ...windowed(keys),
      attn_logit_softcapping: keys.real('attn_logit_softcapping') ?? 50,
      final_logit_softcapping: keys.real('final_logit_softcapping') ?? 30,
      query_pre_attn_scalar: common.num_hidden_layers === 46 ? wholeShareOf(common) : common.head_dim,
    }),
  },
  gemma3: {
    modelType: () => 'gemma3_text',
    own: (keys, { common }) => {
      if (Math.abs((keys.real('rope.scaling.attn_factor') ?? 1) - 1) > 1e-6) {
        keys.lack('rope.scaling.attn_factor', text('{0} scales sines of layers with a window too, which no run of a Gemma 3 does'));
      }
      return {
        ...windowed(keys),
        final_logit_softcapping: keys.real('final_logit_softcapping') || undefined,
        rope_local_base_freq: keys.real('rope.freq_base_swa') ?? 10_000,
        query_pre_attn_scalar: common.num_hidden_layers === 62 ? wholeShareOf(common) : common.head_dim,
      };
    },
  },
  phi3: {
    modelType: () => 'phi3',
    rotatesPart: true,
    own: (keys, { common, rotated }) => ({
      ...(keys.above0('attention.sliding_window') && windowed(keys)),
      ...(rotated !== common.head_dim && { partial_rotary_factor: rotatedShare(rotated, Number(common.head_dim)) }),
    }),
  },
  cohere2: {
    modelType: () => 'cohere2',
    normsSubtractMean: true,
    own: (keys, file) => ({ ...windowed(keys), ...biases(keys, file), logit_scale: keys.needReal('logit_scale') }),
  },
  bloom: {
    modelType: () => 'bloom',
    normsSubtractMean: true,
    own: (keys, { common }) => {
      // llama.cpp takes 8 whatever a file says, as the published models do.
      keys.maybe('attention.max_alibi_bias');
      return {
        ...nothingBut(common),
        hidden_size: common.hidden_size,
        n_layer: common.num_hidden_layers,
        n_head: common.num_attention_heads,
        layer_norm_epsilon: common.layer_norm_eps,
      };
    },
    assumes: assumesGelu('BLOOM'),
  },
  mpt: {
    modelType: () => 'mpt',
    normsSubtractMean: true,
    own: (keys, { common }) => ({
      ...nothingBut(common),
      d_model: common.hidden_size,
      n_layers: common.num_hidden_layers,
      n_heads: common.num_attention_heads,
      max_seq_len: common.max_position_embeddings,
      expansion_ratio: Number(common.intermediate_size) / Number(common.hidden_size),
      layer_norm_epsilon: common.layer_norm_eps,
      // llama.cpp takes none for no ALiBi at all, of which there is no MPT here.
      attn_config: {
        alibi_bias_max: keys.real('attention.max_alibi_bias') || keys.stop('mpt.attention.max_alibi_bias', text('is missing or 0')),
      },
    }),
    assumes: assumesGelu('MPT'),
  },
  gpt2: {
    modelType: () => 'gpt2',
    normsSubtractMean: true,
    // Its fields have names of their own.
    own: (_, { common }) => ({
      ...nothingBut(common),
      n_positions: common.max_position_embeddings,
      n_embd: common.hidden_size,
      n_layer: common.num_hidden_layers,
      n_head: common.num_attention_heads,
      n_inner: common.intermediate_size,
      layer_norm_epsilon: common.layer_norm_eps,
    }),
    assumes: assumesGelu('GPT-2'),
  },
  // Every head has keys and values of its own, of its share of the width, so that no field says so.
  gptneox: {
    modelType: () => 'gpt_neox',
    normsSubtractMean: true,
    rotatesPart: true,
    own: (keys, { common, rotated, has }) => {
      const share = shareOf(common);
      return {
        ...(common.num_key_value_heads === common.num_attention_heads && { num_key_value_heads: null }),
        ...(common.head_dim === share && { head_dim: null }),
        ...{ rotary_pct: rotatedShare(rotated, Number(common.head_dim)), rotary_emb_base: common.rope_theta, rope_theta: null },
        attention_bias: has('blk.0.attn_qkv.bias'),
        use_parallel_residual: keys.needFlag('use_parallel_residual'),
      };
    },
    assumes: assumesGelu('GPT-NeoX'),
  },
  // Without the head that predicts masked tokens, which the conversion leaves out.
  bert: {
    modelType: () => 'bert',
    normsSubtractMean: true,
    own: (keys, { common, rows }) => {
      // llama.cpp's default is causal.
      if (keys.needFlag('attention.causal')) {
        keys.stop('bert.attention.causal', text('is true, and a BERT is an encoder'));
      }
      return {
        ...{ num_key_value_heads: null, head_dim: null, tie_word_embeddings: null, rope_theta: null },
        max_position_embeddings: rows('position_embd.weight') ?? common.max_position_embeddings,
        type_vocab_size: rows('token_types.weight'),
      };
    },
    assumes: assumesGelu('BERT'),
  },
  'gpt-oss': gptOss,
  // The same, as Ollama converts it.
  gptoss: gptOss,
  // OLMo 3 is an OLMo 2 with windows.
  olmo2: {
    modelType: (keys) => (keys.above0('attention.sliding_window') ? 'olmo3' : 'olmo2'),
    own: (keys, file) => (keys.above0('attention.sliding_window') ? windowed(keys) : biases(keys, file)),
  },
};
