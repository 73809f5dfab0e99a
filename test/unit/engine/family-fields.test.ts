import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ReadConfig } from '../../../src/engine/read/model/architecture';
import { parseConfig } from '../../../src/engine/read/model/config';
import { safetensorsBytes } from '../../support/safetensors-writer';
import { configOf, copyOf, goldenModel, load } from './malformed/golden-copy';

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

  it('is four norms, a cap of 50 on scores and one of 30 on logits in a Gemma 2, and every other layer with a window', () => {
    const absent = {
      attn_logit_softcapping: undefined,
      final_logit_softcapping: undefined,
      query_pre_attn_scalar: undefined,
      sliding_window: undefined,
      layer_types: undefined,
    };
    const { shape, run } = read('gemma2', absent);
    const window = { kind: 'sliding-window', window: 4096 };
    expect(shape.attention).toEqual({ kind: 'per-layer', cycle: [window, { kind: 'causal' }, window] });
    expect([shape.scoreCap, run?.logitCap]).toEqual([50, 30]);
    expect(run?.multipliers).toEqual({ embedding: Math.sqrt(32), scores: 1 / 16, residual: 1, logits: 1 });
    expect(read('gemma2', { final_logit_softcapping: null }).run).not.toHaveProperty('logitCap');
  });

  it('is a rope for each kind of layer of a Gemma 3, of which rope_scaling is for global layers', () => {
    const ropes = (change: Record<string, unknown>): unknown => {
      const rotary = read('gemma3', { rope_parameters: undefined, ...change }).run?.rotary;
      return [rotary?.[0], rotary?.[5]];
    };
    const plain = (theta: number) => ({ theta, scaling: { type: 'none' } });
    expect(ropes({})).toEqual([plain(10_000), plain(1_000_000)]);
    expect(ropes({ rope_scaling: { rope_type: 'linear', factor: 8 }, rope_theta: 500, rope_local_base_freq: 70 })).toEqual([
      plain(70),
      { theta: 500, scaling: { type: 'linear', factor: 8 } },
    ]);
    expect(ropes({ rope_parameters: { sliding_attention: { rope_type: 'default', rope_theta: 90 } } })).toEqual([
      plain(90),
      plain(1_000_000),
    ]);
    // One rope for all would be of another model.
    expect(() => ropes({ rope_parameters: { rope_type: 'default', rope_theta: 90 } })).toThrow(/rope_parameters: rope_/);
    expect(() => ropes({ attn_logit_softcapping: 50 })).toThrow(/attn_logit_softcapping 50 is not known/);
  });

  it('is the text part of a Gemma 3 with images, with the norms and the names that its checkpoint has', async () => {
    const [folder, text] = [copyOf('gemma3'), await goldenModel('gemma3')];
    const path = join(folder, 'model.safetensors');
    const bytes = readFileSync(path);
    const start = 8 + Number(bytes.readBigUInt64LE());
    const header = JSON.parse(bytes.subarray(8, start).toString()) as Record<string, object>;
    const names = Object.entries(header).map(([name, tensor]) => [name.replace(/^model\./, 'model.language_model.'), tensor]);
    const images = ['model.vision_tower.a', 'model.multi_modal_projector.b'].map((name, index) => {
      const from = bytes.length - start + 4 * index;
      return [name, { dtype: 'F32', shape: [1], data_offsets: [from, from + 4] }];
    });
    const data = Buffer.concat([bytes.subarray(start), Buffer.alloc(8)]);
    writeFileSync(path, safetensorsBytes(JSON.stringify(Object.fromEntries([...names, ...images])), data));
    const inner = { ...configOf('gemma3'), architectures: undefined };
    const config = { model_type: 'gemma3', architectures: ['Gemma3ForConditionalGeneration'], text_config: inner, vision_config: {} };
    const model = await load(folder, JSON.stringify(config));
    expect(parseConfig(JSON.stringify(config), 'config.json').notes).toEqual(['Only text is planned (text_config): vision_config is not.']);
    expect(model.layers).toEqual(text.layers);
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
