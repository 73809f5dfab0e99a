import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultOptions } from '../../../src/core/options/table';
import { alibiSlopes } from '../../../src/engine/read/model/architectures/alibi';
import type { ReadConfig } from '../../../src/engine/read/model/architecture';
import { parseConfig } from '../../../src/engine/read/model/config';
import { promptFromText } from '../../../src/engine/read/prompt';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { planPrompt } from '../../../src/engine/tasks/plan';
import { modelsFolder, root } from '../../support/paths';
import { writeTinyTokenizer } from '../../support/tiny-tokenizer';
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
    expect(windows({})).toEqual({ kind: 'per-layer', cycle: [{ kind: 'causal' }, window] });
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
    expect(shape.attention).toEqual({ kind: 'per-layer', cycle: [window, { kind: 'causal' }] });
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
    // The whole says what the part leaves out.
    const untyped = JSON.stringify({ ...config, text_config: { ...inner, model_type: undefined } });
    expect(parseConfig(untyped, 'config.json')).toEqual(parseConfig(JSON.stringify(config), 'config.json'));
    // What is not known stops a run around the text part as it does inside.
    const lacks = ['mup_factor 2 is not known; remove the key from config.json if it changes nothing'];
    for (const odd of [
      { ...config, mup_factor: 2 },
      { ...config, text_config: { ...inner, mup_factor: 2 } },
    ]) {
      expect(parseConfig(JSON.stringify(odd), 'config.json')).toMatchObject({ lacks, run: undefined, shape: text.shape });
    }
  });

  it('is a rope with the list of factors that the length of a run asks for in a Phi-3', () => {
    const scaling = (change: Record<string, unknown>): unknown =>
      read('phi3', { rope_parameters: undefined, ...change }).run?.rotary?.[0]?.scaling;
    const lists = { short_factor: [1, 1, 1, 1], long_factor: [1, 2, 3, 4] };
    const long = { type: 'longrope', trainedTokens: 24, shortFactors: [1, 1, 1, 1], longFactors: [1, 2, 3, 4] };
    const usual = Math.sqrt(1 + Math.log(96 / 24) / Math.log(24));
    // Early ones call it su, or yarn.
    for (const type of ['longrope', 'su', 'yarn']) {
      expect(scaling({ rope_scaling: { type, ...lists } })).toEqual({ ...long, attentionFactor: usual });
    }
    expect(scaling({ rope_scaling: { rope_type: 'longrope', ...lists, attention_factor: 1.25 } })).toMatchObject({ attentionFactor: 1.25 });
    expect(scaling({ rope_scaling: { rope_type: 'longrope', ...lists, factor: 24 } })).toMatchObject({ attentionFactor: Math.SQRT2 });
    expect(scaling({ rope_scaling: { rope_type: 'longrope', ...lists }, max_position_embeddings: 24 })).toMatchObject({
      attentionFactor: 1,
    });
    expect(scaling({})).toEqual({ type: 'none' });
  });

  it('is planned and not run where a list of a longrope is not whole, and refused where another model has one', () => {
    const { run, lacks, shape } = read('phi3', { rope_parameters: { rope_type: 'longrope', short_factor: [1, 1, 1] } });
    expect(run).toBeUndefined();
    expect(shape.trainedTokens).toBe(96);
    expect(lacks).toEqual([
      'its rope needs 4 numbers in short_factor, and config.json has 3',
      'its rope needs 4 numbers in long_factor, and config.json has none',
    ]);
    expect(() => read('llama', { rope_parameters: { rope_type: 'default', short_factor: [1] } })).toThrow(
      /rope scaling "default" with lists/,
    );
  });

  it.each(['Phi-3-mini-128k', 'Phi-4-mini'])('is all that the copy of %s lacks', (name) => {
    const config = JSON.parse(readFileSync(join(root, 'test', 'fixtures', 'configs', name, 'config.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    const list = Array.from({ length: 48 }, (_, pair) => 1 + pair);
    const rope_scaling = { type: 'longrope', short_factor: list, long_factor: list };
    const { run, lacks } = parseConfig(JSON.stringify({ ...config, rope_scaling }), 'config.json');
    expect(lacks).toEqual([]);
    expect(run?.rotary?.[0]).toMatchObject({
      scaling: { type: 'longrope', trainedTokens: 4096, attentionFactor: Math.sqrt(1 + Math.log(32) / Math.log(4096)) },
      ...(name === 'Phi-4-mini' && { columns: 96 }),
    });
  });

  it.each([
    [24, 'short'],
    [25, 'long'],
  ])('is named in a note of a plan of %i tokens: the %s list', async (tokens, list) => {
    const folder = copyOf('phi3');
    writeTinyTokenizer(folder, 200, false);
    const places = { modelsFolder, calibrations: new CalibrationStore('/nonexistent') };
    const prompt = promptFromText('a', Array.from({ length: tokens }, (_, word) => `w${word}`).join(' '));
    const { plan } = await planPrompt(prompt, { ...defaultOptions, model: folder }, places);
    expect(plan.notes).toContain(
      `The rope has one list of factors up to 24 tokens and another beyond: ${tokens} tokens take the ${list} one. A continuation that gets there is run again from its beginning.`,
    );
  });

  it('is a window on three layers of four of an OLMo 3, whose rope is not extended', () => {
    const { shape, run } = read('olmo3', { layer_types: null, sliding_window: undefined, num_hidden_layers: 5 });
    const window = { kind: 'sliding-window', window: 4096 };
    expect(shape.attention).toEqual({ kind: 'per-layer', cycle: [window, window, window, { kind: 'causal' }] });
    expect(run?.rotary?.map((rope) => rope?.scaling.type)).toEqual(['none', 'none', 'none', 'yarn', 'none']);
    expect(shape.trainedTokens).toBe(4 * 64);
    expect(read('olmo3', { sliding_window: null }).shape.attention).toEqual({ kind: 'causal' });
    expect(() => read('olmo3', { use_sliding_window: true })).toThrow(/use_sliding_window true is not known/);
  });

  it('is a rope on the layers of a Command R7B that have a window', () => {
    const absent = { layer_types: undefined, sliding_window: undefined, logit_scale: undefined, head_dim: undefined };
    const { shape, run } = read('cohere2', absent);
    const window = { kind: 'sliding-window', window: 4096 };
    expect(shape.attention).toEqual({ kind: 'per-layer', cycle: [window, window, window, { kind: 'causal' }] });
    expect(run?.rotary?.map((rope) => rope?.theta)).toEqual([50_000, 50_000, 50_000, undefined]);
    expect(run?.multipliers).toEqual({ embedding: 1, scores: 8 ** -0.5, residual: 1, logits: 0.0625 });
    // transformers does not read these: another value is of a model that it does not compute.
    for (const [key, value] of Object.entries({
      layer_switch: 3,
      rotary_pct: 0.5,
      use_parallel_block: false,
      position_embedding_type: 'learned',
    })) {
      expect(() => read('cohere2', { [key]: value })).toThrow(new RegExp(`${key} .* is not known`));
    }
    expect(read('cohere2', { use_qk_norm: true }).run).toBeUndefined();
  });

  it('is layers in turn for a GPT-Neo, by its list or by its words and their repetitions', () => {
    const window = { kind: 'sliding-window', window: 256 };
    const masks = (change: Record<string, unknown>): unknown =>
      read('gpt-neo', { attention_layers: undefined, window_size: undefined, ...change }).shape.attention;
    expect(masks({ attention_types: undefined, num_layers: 24 })).toEqual({
      kind: 'per-layer',
      cycle: [{ kind: 'causal' }, window],
    });
    expect(masks({ attention_types: [[['local'], 3]] })).toEqual(window);
    expect(masks({ attention_layers: ['local', 'global', 'global'] })).toEqual({
      kind: 'per-layer',
      cycle: [window, { kind: 'causal' }, { kind: 'causal' }],
    });
    expect(() => masks({ attention_layers: ['local'] })).toThrow(/attention_layers describes 1 layers but num_layers is 3/);
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
    expect(shape.attention).toEqual({ kind: 'per-layer', cycle: [window, { kind: 'causal' }] });
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
