import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../../src/engine/read/model/config';
import { configOf, copyOf, load } from './golden-copy';
import { deepJson, outcomeOf, refusalOf } from './outcome';

const parse = (text: string) => () => parseConfig(text, 'config.json');

/** The configuration of a model with some fields replaced, as text. */
function changed(model: string, change: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...configOf(model), ...change });
}

/** Its text with the JSON of one field replaced by what JSON.stringify would not write. */
function withRaw(model: string, field: string, raw: string): string {
  return changed(model, { [field]: '@' }).replace('"@"', raw);
}

describe('a config.json whose text is broken', () => {
  const valid = JSON.stringify(configOf('llama'));
  it.each<[string, string, RegExp]>([
    ['nothing', '', /config\.json is not JSON/],
    ['half of it', valid.slice(0, valid.length / 2), /config\.json is not JSON/],
    ['NaN', withRaw('llama', 'rms_norm_eps', 'NaN'), /rms_norm_eps: .*, not NaN;/],
    ['characters that are not text', '\u0000\u001b[2J', /config\.json is not JSON/],
    ['a list', '[]', /model_type is missing/],
    ['null', 'null', /model_type is missing/],
    ['text', '"llama"', /model_type is missing/],
    ['a type that is a list', changed('llama', { model_type: ['llama'] }), /model_type is missing/],
    ['deep nesting', deepJson(100_000), /more than 200 deep within one another; restore/],
    ['a type under __proto__', '{"__proto__":{"model_type":"llama"}}', /model_type is missing/],
    [
      'a type that objects inherit',
      changed('llama', { model_type: 'constructor' }),
      /model_type "constructor" with architectures "LlamaForCausalLM" is not supported/,
    ],
    [
      'a type of many lines',
      changed('llama', { model_type: '\n\u001b[31m'.repeat(1000) }),
      /model_type "\\u\{a\}\\u\{1b\}\[31m.*…" with architectures .* is not supported/,
    ],
  ])('is refused: %s', async (_what, text, message) => {
    expect(await refusalOf(parse(text))).toMatch(message);
  });

  it('is refused before it is read where it has 100 MB', async () => {
    const folder = copyOf('llama');
    truncateSync(join(folder, 'config.json'), 100_000_000);
    const before = process.memoryUsage.rss();
    expect(await refusalOf(() => load(folder))).toMatch(/config\.json has 95\.4 MiB; the limit is 8\.00 MiB: restore/);
    expect(process.memoryUsage.rss() - before).toBeLessThan(50_000_000);
  });

  it('is refused where it is a folder', async () => {
    const folder = copyOf('llama');
    rmSync(join(folder, 'config.json'));
    mkdirSync(join(folder, 'config.json'));
    expect(await refusalOf(() => load(folder))).toMatch(/config\.json is not a file/);
  });

  it('may say a thing twice: the last one counts', async () => {
    const { value } = await outcomeOf(parse(valid.replace('{', '{"num_hidden_layers":-1,')));
    expect(value?.shape.layers).toBe(configOf('llama').num_hidden_layers);
  });

  it('may hold more than anybody reads, and is then planned and not run', async () => {
    const text = valid.replace('{', `{"__proto__":{"vocab_size":7},"constructor":1,"far":${deepJson(150)},`);
    const { value } = await outcomeOf(parse(text));
    expect(value?.shape).toEqual(parseConfig(valid, 'config.json').shape);
    expect(value?.run).toBeUndefined();
    expect(value?.notes).toEqual(
      [
        ['__proto__', 'an object'],
        ['constructor', '1'],
        ['far', 'a list'],
      ].map(([key, what]) => `config.json has ${key} ${what}, which is not known: planned as if it changed nothing.`),
    );
  });

  it('is refused where its bytes are no text', async () => {
    const folder = copyOf('llama');
    writeFileSync(join(folder, 'config.json'), Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d));
    expect(await refusalOf(() => load(folder))).toMatch(/config\.json is not UTF-8 text at byte 1 \(0xff\)/);
  });
});

describe('a config.json that no model has', () => {
  const long = `x\n\u202e${'y'.repeat(200_000)}`;
  it.each<[string, string, RegExp]>([
    [
      'heads that do not divide the width',
      changed('llama', { num_attention_heads: 5, num_key_value_heads: 5, head_dim: null }),
      /head width of 6\.4 is not an even whole number/,
    ],
    ['heads that do not divide the width of a GPT-2', changed('gpt2', { n_head: 5 }), /head width of 6\.4 is not a whole number/],
    ['key-value heads that do not divide', changed('llama', { num_key_value_heads: 3 }), /3 key-value heads do not divide 4 heads/],
    ['an odd head width', changed('modernbert', { num_attention_heads: 32 }), /head width of 1 is not an even whole number/],
    ['no vocabulary', changed('llama', { vocab_size: 0 }), /vocab_size: .*>0, not 0;/],
    ['a billion layers', changed('llama', { num_hidden_layers: 1e9 }), /num_hidden_layers: .*<=4096, not 1000000000;/],
    ['a count beyond numbers', withRaw('llama', 'hidden_size', '1e999'), /hidden_size: .*, not Infinity;/],
    ['a count of text', changed('llama', { hidden_size: long }), /hidden_size: .*, not "x\\u\{a\}\\u\{202e\}y+…";/],
    ['a count that is a list', changed('bert', { hidden_size: [32] }), /hidden_size: .*, not a list;/],
    ['a count that is nothing', changed('bert', { hidden_size: null }), /hidden_size: .*, not null;/],
    ['an epsilon of zero', changed('llama', { rms_norm_eps: 0 }), /rms_norm_eps: .*, not 0;/],
    ['an epsilon that float32 cannot hold', changed('llama', { rms_norm_eps: 5e-324 }), /rms_norm_eps: .*, not 5e-324;/],
    ['an activation of many lines', changed('llama', { hidden_act: long }), /hidden_act "x\\u\{a\}/],
    ['positions of many lines', changed('bert', { position_embedding_type: long }), /position_embedding_type "x\\u\{a\}/],
    ['a classifier of many lines', changed('modernbert', { classifier_activation: long }), /classifier_activation "x\\u\{a\}/],
    ['a kind of layer of many lines', changed('qwen2', { layer_types: [long, long, long] }), /layer type "x\\u\{a\}/],
    [
      'too few kinds of layers',
      changed('qwen2', { layer_types: ['full_attention'] }),
      /layer_types has 1 entries but num_hidden_layers is 3/,
    ],
    [
      'too many kinds of layers',
      changed('modernbert', { layer_types: Array(5).fill('full_attention') }),
      /layer_types has 5 entries but num_hidden_layers is 4/,
    ],
    ['no kinds of layers', changed('qwen3', { layer_types: [] }), /layer_types has 0 entries/],
    ['a window of zero', changed('mistral', { sliding_window: 0 }), /sliding_window: .*, not 0;/],
    ['a negative window', changed('qwen2', { sliding_window: -8 }), /sliding_window: .*, not -8;/],
    ['a huge window', changed('mistral', { sliding_window: 1e308 }), /sliding_window: .*, not 1e\+308;/],
    ['a window of zero on both sides', changed('modernbert', { local_attention: 0 }), /local_attention: .*, not 0;/],
    [
      'global layers every zero',
      changed('modernbert', { layer_types: null, global_attn_every_n_layers: 0 }),
      /global_attn_every_n_layers: .*, not 0;/,
    ],
    [
      'too few marks of layers without rope',
      changed('smollm3', { no_rope_layers: [1, 0] }),
      /no_rope_layers has 2 entries but num_hidden_layers is 4/,
    ],
    ['a mark that is no mark', changed('smollm3', { no_rope_layers: [1, 1, 1, 2] }), /no_rope_layers\.3: .*, not 2;/],
    ['layers without rope every zero', changed('smollm3', { no_rope_layer_interval: 0 }), /no_rope_layer_interval: .*, not 0;/],
    ['a rope on half a pair', changed('gpt-neox', { rope_parameters: { partial_rotary_factor: 0.2 } }), /a rope on 0\.2 of heads of 16/],
    ['a rope on no column', changed('gpt-neox', { rope_parameters: { partial_rotary_factor: 0 } }), /a rope on 0 of heads of 16/],
    ['a rope on more than the head', changed('gpt-neox', { rope_parameters: null, rotary_pct: 1.5 }), /rotary_pct: .*, not 1\.5;/],
    ['two ropes', changed('gpt-neox', { rotary_emb_base: 100, rope_theta: 200 }), /rope_theta 200 beside rotary_emb_base 100/],
    [
      'a rope on a part of a Llama',
      changed('llama', { rope_parameters: { partial_rotary_factor: 0.5 } }),
      /partial_rotary_factor 0\.5 is not supported/,
    ],
    [
      'no positions but those of padding',
      changed('roberta', { pad_token_id: 63 }),
      /begin at pad_token_id \+ 1 = 64 and max_position_embeddings is 64;/,
    ],
    ['padding that is no token', changed('roberta', { pad_token_id: null }), /pad_token_id: .*, not null;/],
    ['a head of gelu on layers of another', changed('roberta', { hidden_act: 'relu' }), /hidden_act "relu" beside a head with gelu/],
    ['logits divided by zero', changed('granite', { logits_scaling: 0 }), /logits_scaling: .*, not 0;/],
    ['scores by a negative number', changed('granite', { attention_multiplier: -1 }), /attention_multiplier: .*, not -1;/],
  ])('is refused: %s', async (_what, text, message) => {
    expect(await refusalOf(parse(text))).toMatch(message);
  });

  const llama3 = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 32 };
  const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 16 };
  it.each<[string, unknown, RegExp]>([
    ['text', 'linear', /rope parameters: .*, not "linear";/],
    ['a number', 2, /rope parameters: .*, not 2;/],
    ['a list', [{}], /rope parameters: .*, not a list;|rope parameters/],
    ['a kind of many lines', { rope_type: long, factor: 2 }, /rope scaling "x\\u\{a\}/],
    ['a kind that objects inherit', { rope_type: 'toString' }, /rope scaling "toString" is not supported/],
    ['a factor of zero', { rope_type: 'linear', factor: 0 }, /factor: .*, not 0;/],
    ['a factor that is next to zero', { rope_type: 'linear', factor: 5e-324 }, /factor: .*, not 5e-324;/],
    ['a negative factor', { rope_type: 'dynamic', factor: -2 }, /factor: .*, not -2;/],
    ['a factor of text', { type: 'linear', factor: '2' }, /factor: .*, not "2";/],
    ['a base of one', { rope_type: 'default', rope_theta: 1 }, /rope_theta: .*, not 1;/],
    ['no factors for Llama 3', { ...llama3, low_freq_factor: undefined }, /without low_freq_factor/],
    ['a band of Llama 3 without width', { ...llama3, low_freq_factor: 4 }, /low_freq_factor 4 beside high_freq_factor 4 is not supported/],
    ['a band of Llama 3 upside down', { ...llama3, low_freq_factor: 9 }, /low_freq_factor 9 beside high_freq_factor 4 is not supported/],
    ['sines that overflow', { ...yarn, attention_factor: 1e308 }, /attention_factor: .*, not 1e\+308;/],
    ['a scale that overflows', { ...yarn, mscale: 1e308, mscale_all_dim: 1 }, /mscale: .*, not 1e\+308;/],
    ['a scale that divides by zero', { ...yarn, mscale: 1, mscale_all_dim: -1 / (0.1 * Math.log(4)) }, /mscale_all_dim: /],
    ['a ramp of no turns', { ...yarn, beta_fast: 0 }, /beta_fast: .*, not 0;/],
    ['no trained length', { ...yarn, original_max_position_embeddings: 0 }, /original_max_position_embeddings: .*, not 0;/],
  ])('is refused for rope scaling of %s', async (_what, scaling, message) => {
    expect(await refusalOf(parse(changed('llama', { rope_parameters: undefined, rope_scaling: scaling })))).toMatch(message);
    expect(await refusalOf(parse(changed('llama', { rope_parameters: scaling })))).toMatch(message);
  });
});
