import { describe, expect, it } from 'vitest';
import { alibiSlopes } from '../../../src/engine/read/model/architectures/alibi';
import type { ReadConfig } from '../../../src/engine/read/model/architecture';
import { parseConfig } from '../../../src/engine/read/model/config';
import { configOf } from './malformed/golden-copy';

/** Reads the configuration of a tiny model with some fields changed. */
function read(model: string, change: Record<string, unknown>): ReadConfig {
  return parseConfig(JSON.stringify({ ...configOf(model), ...change }), 'config.json');
}

describe('what transformers 5 takes of the fields that only one family has', () => {
  it('is a rope on all but every fourth layer of a SmolLM3, unless it marks them', () => {
    const rotates = (change: Record<string, unknown>): boolean[] | undefined =>
      read('smollm3', { layer_types: null, num_hidden_layers: 5, ...change }).run?.rotary?.map((rope) => rope !== undefined);
    expect(rotates({ no_rope_layers: null })).toEqual([true, true, true, false, true]);
    expect(rotates({ no_rope_layers: null, no_rope_layer_interval: 2 })).toEqual([true, false, true, false, true]);
    // As in transformers, one mark too many counts for nothing.
    expect(rotates({ no_rope_layers: [0, 1, true, false, 1, 0] })).toEqual([false, true, true, false, true]);
  });

  it('is a window on the layers of a SmolLM3 that have no rope', () => {
    const window = { kind: 'sliding-window', window: 8 };
    const windows = (change: Record<string, unknown>): unknown => read('smollm3-window', { layer_types: null, ...change }).shape.attention;
    expect(windows({})).toEqual({ kind: 'per-layer', cycle: [{ kind: 'causal' }, window, { kind: 'causal' }] });
    expect(windows({ use_sliding_window: false })).toEqual({ kind: 'causal' });
  });

  it('is a rope on a quarter of a GPT-NeoX, with the base that its own fields say', () => {
    const rope = (change: Record<string, unknown>): unknown => read('gpt-neox', { rope_parameters: null, ...change }).run?.rotary?.[0];
    expect(rope({})).toEqual({ theta: 10_000, scaling: { type: 'none' }, columns: 4 });
    expect(rope({ rotary_pct: 0.5, rotary_emb_base: 100, partial_rotary_factor: 0.5, rope_theta: 100 })).toMatchObject({
      theta: 100,
      columns: 8,
    });
    expect(rope({ rotary_pct: 1 })).not.toHaveProperty('columns');
    expect(rope({ rope_scaling: { rope_type: 'linear', factor: 2 } })).toEqual({
      theta: 10_000,
      scaling: { type: 'linear', factor: 2 },
      columns: 4,
    });
  });

  it('is 1 for what a Granite does not multiply, scores included', () => {
    const absent = {
      embedding_multiplier: undefined,
      attention_multiplier: undefined,
      residual_multiplier: undefined,
      logits_scaling: undefined,
    };
    expect(read('granite', absent).run?.multipliers).toEqual({ embedding: 1, scores: 1, residual: 1, logits: 1 });
    expect(read('granite', {}).run?.multipliers).toEqual({ embedding: 3, scores: 0.25, residual: 0.7, logits: 0.5 });
  });

  it('is a window on every second layer of a gpt-oss, and a rope that is extended, where it says neither', () => {
    const { run, shape } = read('gpt-oss', {
      layer_types: null,
      rope_parameters: null,
      sliding_window: undefined,
      swiglu_limit: undefined,
    });
    const window = { kind: 'sliding-window', window: 128 };
    expect(shape.attention).toEqual({ kind: 'per-layer', cycle: [window, { kind: 'causal' }, window] });
    expect(run?.rotary?.[0]).toMatchObject({
      theta: 150_000,
      scaling: { type: 'yarn', factor: 32, trainedTokens: 4096, fastTurns: 32, slowTurns: 1, truncate: false },
    });
    expect(run?.clampedGate).toEqual({ limit: 7, slope: 1.702 });
    expect(shape.trainedTokens).toBe(32 * 4096);
  });

  it('is two experts of eight for a Mixtral that says neither, and eight of 128 for a Qwen3-MoE, whose weights need not sum to 1', () => {
    const routed = (model: string, change: Record<string, unknown>): unknown => {
      const { run } = read(model, change);
      const stored = run?.checkpoint.layers[0].outputAndMlp ?? {};
      return [run?.experts, stored.routerWeight?.shape[0], stored['experts.0.upWeight']?.shape[0]];
    };
    const absent = { num_experts_per_tok: undefined, num_local_experts: undefined };
    expect(routed('mixtral', absent)).toEqual([{ chosen: 2, weights: 'of-chosen' }, 8, 24]);
    const none = { num_experts_per_tok: undefined, num_experts: undefined, moe_intermediate_size: undefined, norm_topk_prob: undefined };
    expect(routed('qwen3-moe', none)).toEqual([{ chosen: 8, weights: 'of-all' }, 128, 768]);
    expect(routed('qwen3-moe', { num_experts: 0 })).toEqual([undefined, undefined, undefined]);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['mixtral', { num_experts_per_tok: 5 }, /a token goes to 5 experts, of which there are 4; correct num_experts_per_tok/],
    ['mixtral', { num_experts_per_tok: 0 }, /num_experts_per_tok: Too small/],
    ['mixtral', { num_experts: 8 }, /num_experts 8 is not known/],
    ['llama', { num_local_experts: 4 }, /num_local_experts 4 is not known/],
    ['gpt-oss', { experts_per_token: 3 }, /num_experts_per_tok 2 beside experts_per_token 3 is not supported/],
    ['qwen3-moe', { moe_layer_freq: 2 }, /moe_layer_freq 2 is not known/],
    ['bloom', { apply_residual_connection_post_layernorm: true }, /apply_residual_connection_post_layernorm is not supported/],
    ['bloom', { n_layer: undefined }, /a BLOOM without n_layer is not supported/],
    ['mpt', { attn_config: { alibi: false } }, /attn_config\.alibi/],
    ['mpt', { attn_config: { clip_qkv: 6 } }, /attn_config\.clip_qkv/],
    ['mpt', { attn_config: { attn_type: 'multiquery_attention' } }, /attn_config\.attn_type/],
    ['mpt', { attn_config: { rope: true } }, /attn_config\.rope true is not known/],
    ['mpt', { no_bias: false }, /no_bias/],
  ])('is refused in %s by the field: %j', (model, change, message) => {
    expect(() => read(model, change)).toThrow(message);
  });

  it('is the slopes of ALiBi as the paper has them', () => {
    expect(alibiSlopes(8, 8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((power) => 2 ** -power));
    // Twelve heads: those of eight, then every second of sixteen.
    expect(alibiSlopes(12, 8)).toEqual([...[1, 2, 3, 4, 5, 6, 7, 8], ...[0.5, 1.5, 2.5, 3.5]].map((power) => 2 ** -power));
    expect(alibiSlopes(1, 8)).toEqual([2 ** -8]);
  });

  it('is a factor of scores for an MPT that has one', () => {
    expect(read('mpt', { attn_config: { softmax_scale: 0.5 } }).run?.multipliers?.scores).toBe(0.5);
    expect(read('mpt', {}).run?.multipliers).toBeUndefined();
  });
});
