import { describe, expect, it } from 'vitest';
import { messageOf } from '../../../src/core/errors';
import { parseConfig } from '../../../src/engine/read/model/config';
import { configOf, oneOfEach } from './malformed/golden-copy';

/** What is read of a configuration, or why it is refused. */
function outcomeOfText(text: string): unknown {
  try {
    return parseConfig(text, 'config.json');
  } catch (error) {
    return messageOf(error);
  }
}

describe('a flag that is null', () => {
  const flags = [
    ...['attention_bias', 'tie_word_embeddings', 'mlp_bias', 'use_sliding_window', 'norm_bias', 'classifier_bias', 'decoder_bias'],
    ...['use_parallel_residual', 'scale_attn_weights', 'scale_attn_by_inverse_layer_idx', 'add_cross_attention', 'is_decoder', 'no_bias'],
    ...['apply_residual_connection_post_layernorm', 'norm_topk_prob'],
  ];

  it.each([...oneOfEach, 'smollm3', 'gpt-oss', 'qwen3-moe'])('is as if it were absent: %s', (name) => {
    for (const flag of flags) {
      const absent = configOf(name);
      Reflect.deleteProperty(absent, flag);
      const outcome = outcomeOfText(JSON.stringify(absent));
      expect(outcomeOfText(JSON.stringify({ ...absent, [flag]: null }))).toEqual(outcome);
    }
  });

  it('is so inside the attention of MPT and in a model that is planned only', () => {
    const attention = { alibi: true, alibi_bias_max: 8 };
    const unset = { prefix_lm: null, qk_ln: null, attn_uses_sequence_id: null };
    const mpt = (own: object): unknown => outcomeOfText(JSON.stringify({ ...configOf('mpt'), attn_config: own }));
    expect(mpt({ ...attention, ...unset, alibi: null })).toEqual(mpt(attention));
    expect(mpt(attention)).toMatchObject({ lacks: [] });
    // Gemma ties its embedding by default.
    const gemma = (change: object): string =>
      JSON.stringify({
        ...{ model_type: 'gemma', hidden_size: 64, intermediate_size: 128, num_hidden_layers: 2, num_attention_heads: 4, vocab_size: 100 },
        ...{ num_key_value_heads: 4, max_position_embeddings: 64, ...change },
      });
    expect(outcomeOfText(gemma({ tie_word_embeddings: null }))).toEqual(outcomeOfText(gemma({})));
    expect(outcomeOfText(gemma({ tie_word_embeddings: false }))).not.toEqual(outcomeOfText(gemma({})));
  });
});
