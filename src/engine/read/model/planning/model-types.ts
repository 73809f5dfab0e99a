import { text } from '../../../../core/l10n';
import { deepseekCode, type ModelType } from './model-type';

const latent = { latent: true } as const;
const gemma4Ignores = { hidden_size_per_layer_input: 'a small input to each layer, which the notes tell of' };
const qwenNext = { windows: 'full', attendsEvery: 4, attention: { gatedOutput: true } } as const;
const nemotron = {
  time_step_min: 'limits a step of the recurrence',
  time_step_max: 'limits a step of the recurrence',
  time_step_floor: 'limits a step of the recurrence',
  time_step_limit: 'limits a step of the recurrence',
  time_step_rank: 'of a recurrence that is not counted',
};
const experts = text('{0} has experts, of which a router chooses for each token');
const latentExperts = text('{0} has latent attention and experts, of which a router chooses for each token');
const pickedExperts = text(
  '{0} has latent attention over keys that an indexer picks, and experts, of which a router chooses for each token',
);
const linearExperts = text('{0} has linear attention and experts, of which a router chooses for each token');

/** Model types that are planned and not run, by the `model_type` of the part that describes text. */
export const modelTypes: Readonly<Record<string, ModelType>> = {
  // DeepSeek and those that share its layers.
  deepseek_v2: { name: 'DeepseekV2', ownCode: deepseekCode, windows: 'full', attention: latent, has: latentExperts },
  deepseek_v3: { name: 'DeepseekV3', ownCode: deepseekCode, windows: 'full', attention: latent, has: latentExperts },
  kimi_k2: {
    name: 'KimiK2',
    classes: ['DeepseekV3ForCausalLM', 'DeepseekV3Model'],
    ownCode: deepseekCode,
    windows: 'full',
    attention: latent,
    has: latentExperts,
  },
  deepseek_v32: {
    name: 'DeepseekV32',
    ownCode: deepseekCode,
    windows: 'full',
    attention: latent,
    has: pickedExperts,
  },
  glm_moe_dsa: {
    name: 'GlmMoeDsa',
    windows: 'full',
    attention: latent,
    has: pickedExperts,
    ignores: { indexer_rope_interleave: 'an order of columns' },
  },
  deepseek_v4: {
    name: 'DeepseekV4',
    windows: 'full',
    has: text('{0} has compressed keys'),
    stops: { key: 'compress_ratios', why: text('queries see keys that stand for several tokens each, which no mask over tokens can say') },
  },
  glm4_moe: { name: 'Glm4Moe', windows: 'full', has: experts },
  // Qwen.
  qwen2_moe: { name: 'Qwen2Moe', windows: 'qwen', has: experts, defaults: { sliding_window: 4096 } },
  qwen2_vl: { name: 'Qwen2VL', windows: 'qwen', has: text('{0} has positions in three directions'), defaults: { sliding_window: 4096 } },
  qwen2_5_vl: {
    name: 'Qwen2_5_VL',
    windows: 'qwen',
    has: text('{0} has positions in three directions'),
    defaults: { sliding_window: 4096 },
  },
  qwen2_5_vl_text: {
    name: 'Qwen2_5_VL',
    windows: 'qwen',
    has: text('{0} has positions in three directions'),
    defaults: { sliding_window: 4096 },
  },
  qwen3_vl_text: { name: 'Qwen3VL', windows: 'full', attention: { headWidth: 128 }, has: text('{0} has positions in three directions') },
  qwen3_vl_moe_text: { name: 'Qwen3VLMoe', windows: 'full', attention: { headWidth: 128 }, has: experts },
  qwen3_next: { name: 'Qwen3Next', ...qwenNext, has: linearExperts },
  qwen3_5_text: { name: 'Qwen3_5', ...qwenNext, has: text('{0} has linear attention and gates on attention') },
  qwen3_5_moe_text: { name: 'Qwen3_5Moe', ...qwenNext, has: linearExperts },
  mimo: {
    name: 'MiMo',
    ownCode: ['configuration_mimo', 'modeling_mimo'],
    windows: 'qwen',
    defaults: { sliding_window: 4096 },
    has: text('{0} has layers that predict further tokens'),
  },
  // Gemma.
  gemma: {
    name: 'Gemma',
    windows: 'full',
    has: text('{0} has norms by 1 + w'),
    attention: { headWidth: 256 },
    defaults: { tie_word_embeddings: true },
  },
  gemma4_text: {
    name: 'Gemma4',
    windows: 6,
    gemma4: true,
    extended: true,
    experts: { denseBeside: true },
    has: text('{0} has global layers of another head width, and experts beside dense networks'),
    defaults: { tie_word_embeddings: true },
    ignores: gemma4Ignores,
  },
  // Other decoders with a rope.
  mimo_v2_flash: {
    name: 'MiMoV2Flash',
    ownCode: ['configuration_mimo_v2_flash', 'modeling_mimo_v2_flash'],
    windows: 'full',
    has: text('{0} has a learned sink for each head with a window, and experts, of which a router chooses for each token'),
    ignores: {
      attention_chunk_size: 'a size of the implementation; the window is what counts',
      sliding_window_size: 'the same as sliding_window',
      add_full_attention_sink_bias: 'a score beside those of keys',
      add_swa_attention_sink_bias: 'a score beside those of keys',
      attention_value_scale: 'a factor of values',
      attention_projection_layout: 'an order of stored rows',
      swa_rope_theta: 'a rope of its own',
    },
  },
  step3p5: {
    name: 'Step3p5',
    ownCode: ['configuration_step3p5', 'modeling_step3p5'],
    windows: 'full',
    has: text('{0} has a gate for each head, layers of different heads, and experts, of which a router chooses for each token'),
    ignores: {
      partial_rotary_factors: 'how much of each head is turned',
      yarn_only_types: 'which layers have an extended rope',
      swiglu_limits: 'limits of activations',
      swiglu_limits_shared: 'limits of activations',
      use_head_wise_attn_gate: 'a factor of each head',
      moe_router_activation: 'chooses experts',
      moe_router_scaling_factor: 'weighs experts',
      use_moe_router_bias: 'chooses experts',
      norm_expert_weight: 'weighs experts',
      need_fp32_gate: 'a precision',
      zero_centered: 'a norm by 1 + w',
      max_seq_len: 'the same as max_position_embeddings',
    },
  },
  minimax_m2: {
    name: 'MiniMaxM2',
    ownCode: ['configuration_minimax_m2', 'modeling_minimax_m2'],
    windows: 'full',
    has: experts,
    ignores: {
      layernorm_full_attention_beta: 'a factor of the residual stream',
      layernorm_linear_attention_beta: 'a factor of the residual stream',
      layernorm_mlp_beta: 'a factor of the residual stream',
      mlp_intermediate_size: 'of dense layers, of which it has none',
      shared_moe_mode: 'weighs experts',
    },
  },
  llama4_text: {
    name: 'Llama4',
    windows: 'chunks',
    defaults: { attention_chunk_size: 8192 },
    experts: { llama4: true },
    has: text('{0} has chunks of attention, layers without rope, and experts, of which a router chooses for each token'),
    ignores: { for_llm_compressor: 'how experts are stored' },
  },
  olmoe: { name: 'Olmoe', windows: 'full', has: experts },
  granitemoe: {
    name: 'GraniteMoe',
    windows: 'full',
    has: text('{0} has multipliers and experts, of which a router chooses for each token'),
  },
  cohere: {
    name: 'Cohere',
    windows: 'full',
    has: text('{0} has both halves of a layer side by side'),
    defaults: { tie_word_embeddings: true },
  },
  seed_oss: {
    name: 'SeedOss',
    windows: 'full',
    has: text('{0} has biases on some projections'),
    ignores: { attention_out_bias: 'a bias' },
  },
  ministral3: { name: 'Ministral3', windows: 'window', has: text('{0} has queries that are scaled by their positions') },
  exaone4: { name: 'Exaone4', windows: 4, has: text('{0} has norms after each half of a layer'), defaults: { sliding_window: 4096 } },
  granitemoehybrid: {
    name: 'GraniteMoeHybrid',
    windows: 'full',
    has: text('{0} has recurrences, multipliers and shared networks'),
    ignores: {
      position_embedding_type: 'a rope or none',
      time_step_limit: 'limits a step of the recurrence',
      normalization_function: 'a kind of norm',
      init_method: 'initial values',
    },
  },
  apertus: { name: 'Apertus', windows: 'full', plain: true, has: text('{0} has an activation with learned numbers') },
  ernie4_5: {
    name: 'Ernie4_5',
    windows: 'full',
    has: text('{0} has an order of rotated columns'),
    defaults: { tie_word_embeddings: true },
  },
  glm4: { name: 'Glm4', windows: 'full', has: text('{0} has a rope on a part of each head') },
  nemotron_h: {
    name: 'NemotronH',
    ownCode: ['configuration_nemotron_h', 'modeling_nemotron_h'],
    windows: 'full',
    plain: true,
    has: text('{0} has recurrences and experts, of which a router chooses for each token'),
    ignores: nemotron,
  },
  starcoder2: {
    name: 'Starcoder2',
    windows: 'window',
    plain: true,
    has: text('{0} has a rope and norms with biases'),
    defaults: { tie_word_embeddings: true },
  },
  // Decoders without a rope.
  gpt_bigcode: {
    name: 'GPTBigCode',
    windows: 'full',
    plain: true,
    learnedPositions: true,
    has: text('{0} has one key for all heads'),
    defaults: { multi_query: true, tie_word_embeddings: true },
  },
};
