import { describe, expect, it } from 'vitest';
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
});
