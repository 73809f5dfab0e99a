/** Keys that change no count of a plan, in groups with why. */
export const planningKeys: readonly { readonly why: string; readonly keys: readonly string[] }[] = [
  {
    why: 'a number inside a layer, which changes its result and not its shape',
    keys: [
      ...['rms_norm_eps', 'norm_eps', 'layer_norm_eps', 'layer_norm_epsilon', 'layernorm_epsilon', 'norm_epsilon', 'hidden_act'],
      ...['hidden_activation', 'activation_function', 'mlp_hidden_act', 'mamba_hidden_act', 'swiglu_limit', 'attention_bias', 'mlp_bias'],
      ...['use_bias', 'qkv_bias', 'use_qkv_bias', 'use_conv_bias', 'mamba_proj_bias', 'mamba_conv_bias', 'lm_head_bias', 'use_qk_norm'],
      ...['qk_norm', 'qk_layernorm', 'qk_norm_type', 'query_pre_attn_scalar', 'attn_logit_softcapping', 'final_logit_softcapping'],
      ...['attention_multiplier', 'residual_multiplier', 'embedding_multiplier', 'logits_scaling', 'logit_scale', 'clip_qkv'],
      ...['scale_attn_weights', 'use_parallel_residual', 'attn_temperature_tuning', 'floor_scale', 'attn_scale', 'residual_in_fp32'],
      ...['layer_norm_type', 'attention_softmax_in_fp32', 'scale_attention_softmax_in_fp32', 'use_gemma_rms_norm'],
    ],
  },
  {
    why: 'turns queries and keys by their positions, or leaves a layer without that',
    keys: [
      ...['rope_theta', 'rope_scaling', 'rope_parameters', 'rope_local_base_freq', 'rotary_pct', 'rotary_dim', 'rotary_emb_base'],
      ...['partial_rotary_factor', 'rope_interleave', 'rope_interleaved', 'original_max_position_embeddings', 'no_rope_layers'],
      ...['no_rope_layer_interval', 'nope_layer_interval', 'use_mrope'],
    ],
  },
  {
    why: 'chooses or weighs experts, of which as many are used',
    keys: [
      ...['n_group', 'topk_group', 'topk_method', 'scoring_func', 'routed_scaling_factor', 'norm_topk_prob', 'use_routing_bias'],
      ...['router_aux_loss_coef', 'expert_dtype', 'moe_renormalize', 'use_grouped_topk'],
    ],
  },
  {
    why: 'describes layers that predict further tokens, which are not part of a prompt',
    keys: [
      ...['num_nextn_predict_layers', 'mtp_num_hidden_layers', 'mtp_use_dedicated_embeddings', 'mtp_transformer_layers'],
      ...['num_mtp_modules', 'use_mtp'],
    ],
  },
];
