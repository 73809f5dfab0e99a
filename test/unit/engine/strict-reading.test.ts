import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultOptions } from '../../../src/core/options/table';
import { parseConfig } from '../../../src/engine/read/model/config';
import { sharedKeys } from '../../../src/engine/read/model/keys';
import { promptFromText } from '../../../src/engine/read/prompt';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { planPrompt } from '../../../src/engine/tasks/plan';
import { simulate } from '../../../src/engine/tasks/simulate';
import { modelsFolder } from '../../support/paths';
import { safetensorsBytes } from '../../support/safetensors-writer';
import { configOf, copyOf, goldenModel, load, oneOfEach } from './malformed/golden-copy';
import { refusalOf } from './malformed/outcome';

const changed = (model: string, change: Readonly<Record<string, unknown>>) => JSON.stringify({ ...configOf(model), ...change });
const read = (model: string, change: Readonly<Record<string, unknown>>) => parseConfig(changed(model, change), 'config.json');

describe('a key that nobody reads', () => {
  it.each<[string, string, Record<string, unknown>, RegExp]>([
    ['a class of another model', 'llama', { architectures: ['BitnetForCausalLM'] }, /architectures "BitnetForCausalLM" is not known/],
    ['a class among others', 'llama', { architectures: ['LlamaForCausalLM', 'Odd'] }, /architectures "Odd" is not known.*LlamaForCausalLM/],
    ['no list of classes', 'llama', { architectures: 7 }, /architectures 7 is not known/],
    [
      'code of its own',
      'bert',
      { auto_map: { AutoModelForMaskedLM: 'bert_layers.BertForMaskedLM' } },
      /auto_map AutoModelForMaskedLM "bert_layers\.BertForMaskedLM" is code of the model's own/,
    ],
    ['code that is no text', 'qwen2', { auto_map: { AutoModel: [null, 3] } }, /auto_map AutoModel null is code/],
    ['attention to both sides', 'qwen2', { is_causal: false }, /is_causal false is not known.*attention/],
    ['attention to both sides, by another name', 'llama', { use_bidirectional_attention: true }, /use_bidirectional_attention true/],
    ['an encoder that is causal', 'modernbert', { is_causal: true }, /is_causal true/],
    ['chunks', 'llama', { attention_chunk_size: 8192 }, /attention_chunk_size 8192/],
    ['a window that Llama has not', 'llama', { sliding_window: 512 }, /sliding_window 512/],
    ['kinds of layer that Mistral has not', 'mistral', { layer_types: ['sliding_attention'] }, /layer_types a list/],
    ['ALiBi', 'bert', { alibi_starting_size: 512 }, /alibi_starting_size 512/],
    ['one key for all heads', 'gpt2', { multi_query: true }, /multi_query true/],
    ['one key for all heads, by its type', 'gpt2', { attention_head_type: 'multiquery' }, /attention_head_type "multiquery"/],
    ['layers without rotation', 'llama', { no_rope_layers: [1, 0] }, /no_rope_layers a list/],
    ['a part of the head rotated', 'llama', { partial_rotary_factor: 0.5 }, /partial_rotary_factor 0\.5/],
    ['a mask of blocks', 'llama', { block_length: 32 }, /block_length 32/],
    [
      'a rope for each kind of layer',
      'llama',
      { rope_parameters: { full_attention: { rope_type: 'default' } } },
      /rope of its own for "full_attention"/,
    ],
    [
      'a rope with what is not known',
      'llama',
      { rope_parameters: { rope_type: 'default', odd: 1 } },
      /rope parameters: odd 1 is not known/,
    ],
    [
      'windows that are off and on',
      'qwen2',
      { use_sliding_window: false },
      /layer_types with sliding_attention beside use_sliding_window false/,
    ],
  ])('stops the plan where it may change attention: %s', async (_what, model, change, message) => {
    const refusal = await refusalOf(() => parseConfig(changed(model, change), 'config.json'));
    expect(refusal).toMatch(message);
    expect(refusal).toMatch(/; (use|restore) /);
  });

  it('is noted where it may not, and stops the run', async () => {
    const folder = copyOf('llama');
    const config = read('llama', { mup_factor: 2, note: 'x\n'.repeat(100) });
    expect(config.notes[0]).toBe('config.json has mup_factor 2, which is not known: planned as if it changed nothing.');
    expect(config.notes[1]).toMatch(/^config\.json has note "x\\u\{a\}.*…", which is not known/);
    expect(config.shape).toEqual(read('llama', {}).shape);
    expect(await refusalOf(() => load(folder, changed('llama', { mup_factor: 2 })))).toBe(
      'model can be planned, not run: mup_factor 2 is not known; remove the key from config.json if it changes nothing.',
    );
  });

  it('changes nothing where it is null, or on a list that says why', () => {
    const harmless = Object.fromEntries(sharedKeys.flatMap(({ keys }) => keys).map((key) => [key, 1]));
    for (const model of oneOfEach) {
      const own = configOf(model);
      const config = read(model, {
        ...harmless,
        model_type: own.model_type,
        architectures: own.architectures,
        auto_map: null,
        window_odd: null,
        ...(own.model_type === 'llama' && { layer_types: ['full_attention'] }),
      });
      expect(config).toEqual(read(model, {}));
      expect(config.lacks).toEqual([]);
    }
    expect(new Set(sharedKeys.flatMap(({ keys }) => keys)).size).toBe(sharedKeys.flatMap(({ keys }) => keys).length);
  });

  it('may be code for a tokenizer', () => {
    expect(read('llama', { auto_map: { AutoTokenizer: ['own.Tokenizer', null] } }).lacks).toEqual([]);
  });
});

describe('a configuration with which a plan is right and a run is not', () => {
  it.each<[Record<string, unknown>, RegExp]>([
    [{ compression_config: true }, /compression_config: it does not say how weights are stored; use the model's own checkpoint/],
    [{ dual_chunk_attention_config: { chunk_size: 262_144 } }, /dual_chunk_attention_config moves the positions/],
  ])('says so: %j', async (change, lack) => {
    const config = read('llama', change);
    expect(config.shape).toEqual(read('llama', {}).shape);
    expect(config.run).toBeUndefined();
    const folder = copyOf('llama');
    expect(await refusalOf(() => load(folder, changed('llama', change)))).toMatch(lack);
  });

  it('has the layers that it describes apart', () => {
    const { layers, heads, keyValueHeads, headWidth, feedForwardWidth, parameters = 0, width } = read('qwen3', {}).shape;
    expect(layers).toBe(2);
    const config = read('qwen3', { per_layer_config: { 1: { num_key_value_heads: 1, intermediate_size: 16 } } });
    expect(config.shape.kinds).toEqual([
      { heads, keyValueHeads, headWidth, feedForwardWidth, layers: [0] },
      { heads, keyValueHeads: 1, headWidth, feedForwardWidth: 16, layers: [1] },
    ]);
    const fewer = 2 * width * headWidth * (keyValueHeads - 1) + 3 * width * (feedForwardWidth - 16);
    expect(config.shape.parameters).toBe(parameters - fewer);
    expect(config.lacks).toEqual(['per_layer_config makes layers differ, which a run does not know']);
  });

  it.each([
    [{ 2: { num_key_value_heads: 1 } }, /per_layer_config: .*layer that does not exist/],
    [{ 1: { sliding_window: 8 } }, /per_layer_config: 1\.sliding_window 8 is not known/],
    [{ x: {} }, /per_layer_config: x: /],
    [{ 1: { num_key_value_heads: 3 } }, /3 key-value heads do not divide 4 heads/],
  ])('is refused where a layer apart is not known: %j', async (layers, message) => {
    expect(await refusalOf(() => read('qwen3', { per_layer_config: layers }))).toMatch(message);
  });

  it('tells the plan, and not only the reader', async () => {
    const folder = copyOf('llama');
    writeFileSync(join(folder, 'config.json'), changed('llama', { quantization_config: { quant_method: 'hqq' }, odd: 3 }));
    const stand = { encoding: 'r50k_base', exact: false, reason: 'A test.' };
    writeFileSync(join(folder, 'tokenizer-stand-in.json'), JSON.stringify(stand));
    const prompt = promptFromText('p.md', 'a b c');
    const places = { modelsFolder, calibrations: new CalibrationStore('/nonexistent') };
    const options = { ...defaultOptions, model: folder };
    const { plan } = await planPrompt(prompt, options, places);
    expect(plan.notes).toContain('config.json has odd 3, which is not known: planned as if it changed nothing.');
    expect(plan.notes.at(-1)).toMatch(
      /^This model is planned, not run: odd 3 is not known; .*; quantization_config: weights are stored as HQQ, which is not read; use /,
    );
    const context = { ...places, signal: new AbortController().signal, onProgress: () => undefined };
    await expect(simulate(prompt, options, context)).rejects.toThrow(/can be planned, not run: odd 3.*; quantization_config/);
  });
});

describe('what transformers 5 takes where fields disagree or are absent', () => {
  it('is rope_scaling before rope_parameters, with its base', () => {
    const scaling = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32 };
    const config = read('qwen3', { rope_scaling: scaling });
    expect(config.run?.rotary?.[0]).toMatchObject({ theta: 10_000, scaling: { type: 'yarn', factor: 4, trainedTokens: 32 } });
    expect(config.shape.trainedTokens).toBe(128);
    expect(config.notes).toEqual([expect.stringMatching(/rope_scaling and rope_parameters.*rope_scaling counts/)]);
    const based = read('qwen3', { rope_scaling: { ...scaling, rope_theta: 500 }, rope_theta: 7 });
    expect(based.run?.rotary?.[0]?.theta).toBe(500);
    expect(read('qwen3', { rope_scaling: scaling, rope_theta: 777 }).run?.rotary?.[0]?.theta).toBe(777);
    for (const empty of [{}, null]) {
      expect(read('qwen3', { rope_scaling: empty })).toEqual(read('qwen3', {}));
    }
  });

  it('is no attn_factor of a rope, and that is said', () => {
    const scaling = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32, attn_factor: 0.878 };
    const config = read('qwen3', { rope_scaling: scaling, rope_parameters: null });
    expect(config.notes).toEqual([expect.stringMatching(/attn_factor of the rope is not read/)]);
    expect(config.run?.rotary?.[0]?.scaling).toMatchObject({ attentionFactor: 0.1 * Math.log(4) + 1 });
  });

  // transformers' `_compute_dynamic_ntk_parameters` reads no other length.
  it('is max_position_embeddings as the length from which a dynamic rope grows, and that is said', () => {
    const length = configOf('llama-rope-dynamic').max_position_embeddings;
    const plain = read('llama-rope-dynamic', {});
    const config = read('llama-rope-dynamic', {
      rope_parameters: { factor: 2, rope_theta: 10_000, rope_type: 'dynamic', original_max_position_embeddings: 6 },
    });
    expect(config.run?.rotary?.[0]?.scaling).toEqual({ type: 'dynamic', factor: 2, trainedTokens: length });
    expect(config.run?.rotary).toEqual(plain.run?.rotary);
    expect(config.shape.trainedTokens).toBe(2 * Number(length));
    expect(plain.notes).toEqual([]);
    expect(config.notes).toEqual([expect.stringMatching(/original_max_position_embeddings of a dynamic rope is not read/)]);
  });

  it('is a window of 4096 for a Qwen that uses one, and none for one that says null', () => {
    const qwen = { layer_types: null, use_sliding_window: true, max_window_layers: 1 };
    const absent: Record<string, unknown> = { ...configOf('qwen2'), ...qwen };
    delete absent.sliding_window;
    expect(parseConfig(JSON.stringify(absent), 'config.json').shape.attention).toEqual({
      kind: 'per-layer',
      cycle: [
        { kind: 'causal' },
        ...Array.from({ length: (absent.num_hidden_layers as number) - 1 }, () => ({ kind: 'sliding-window', window: 4096 })),
      ],
    });
    expect(read('qwen2', { ...qwen, sliding_window: null }).shape.attention).toEqual({ kind: 'causal' });
  });

  it('is a model without a head where only the base model is named', async () => {
    expect(read('llama', { architectures: ['LlamaModel'] })).toMatchObject({ predicts: 'nothing', lacks: [] });
    const folder = copyOf('llama');
    const model = await load(folder, changed('llama', { architectures: ['LlamaModel'] }));
    expect(model.head.headWeight).toBeUndefined();
  });
});

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** A copy of a model with other names, or more tensors; those hold ones. */
function renamed(model: string, name: (old: string) => string, more: Readonly<Record<string, readonly number[]>> = {}): string {
  const folder = copyOf(model);
  const path = join(folder, 'model.safetensors');
  const bytes = readFileSync(path);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, start)) as Record<string, Entry>;
  const entries = Object.entries(header).map(([old, entry]): [string, Entry] => [old === '__metadata__' ? old : name(old), entry]);
  let data = Buffer.from(bytes.subarray(start));
  for (const [added, shape] of Object.entries(more)) {
    const size = 4 * shape.reduce((product, length) => product * length, 1);
    entries.push([added, { dtype: 'F32', shape: [...shape], data_offsets: [data.length, data.length + size] }]);
    data = Buffer.concat([data, Buffer.from(new Float32Array(size / 4).fill(1).buffer)]);
  }
  writeFileSync(path, safetensorsBytes(JSON.stringify(Object.fromEntries(entries)), data));
  return folder;
}

const same = (name: string): string => name;

describe('a tensor that nobody reads', () => {
  it.each<[string, string, string, RegExp]>([
    ['learned sinks', 'llama', 'model.layers.0.self_attn.sinks', /has model\.layers\.0\.self_attn\.sinks, which no llama reads/],
    ['norms of queries', 'llama', 'model.layers.1.self_attn.q_norm.weight', /q_norm\.weight, which no llama reads/],
    ['a bias', 'mistral', 'model.layers.0.self_attn.q_proj.bias', /q_proj\.bias, which no mistral reads/],
    ['one layer more', 'qwen3', 'model.layers.2.input_layernorm.weight', /model\.layers\.2\./],
    ['a scale of quantised weights', 'llama', 'model.layers.0.mlp.up_proj.weight_scale', /weight_scale/],
    ['a gate', 'gpt2', 'transformer.h.0.gate', /transformer\.h\.0\.gate, which no gpt2 reads/],
    ['a part of an encoder', 'modernbert', 'model.layers.0.extra.weight', /extra\.weight/],
    ['an inner norm', 'bert', 'bert.encoder.layer.0.attention.self.norm.weight', /self\.norm\.weight/],
  ])('is refused by name: %s', async (_what, model, tensor, message) => {
    const folder = renamed(model, same, { [tensor]: [2] });
    const refusal = await refusalOf(() => load(folder));
    expect(refusal).toMatch(message);
    expect(refusal).toMatch(/; use a checkpoint without it, or plan without a run/);
  });

  it('is said with how many others there are', async () => {
    expect(await refusalOf(() => load(renamed('llama', same, { b: [1], a: [1], c: [1] })))).toMatch(/has \w and 2 more, which/);
  });

  it.each([
    ['llama', 'model.layers.0.self_attn.rotary_emb.inv_freq'],
    ['gpt2', 'transformer.h.0.attn.bias'],
    ['gpt2', 'h.1.attn.masked_bias'],
    ['gpt-neox', 'gpt_neox.layers.0.attention.masked_bias'],
    ['bert', 'bert.embeddings.position_ids'],
    ['bert', 'bert.pooler.dense.weight'],
    ['bert', 'cls.seq_relationship.bias'],
    ['roberta', 'lm_head.decoder.bias'],
    ['qwen2', 'score.weight'],
  ])('is harmless in a %s: %s', async (model, tensor) => {
    const loaded = await load(renamed(model, same, { [tensor]: [2] }));
    expect(loaded.embedding.words.data).toEqual((await goldenModel(model)).embedding.words.data);
  });
});

describe('the names of tensors', () => {
  it.each([
    ['without the base model', (name: string) => name.replace(/^model\./, '')],
    ['of a language model in a larger one', (name: string) => name.replace(/^model\./, 'model.language_model.')],
    ['of an earlier larger one', (name: string) => `language_model.${name}`],
  ])('may be %s', async (_what, name) => {
    const loaded = await load(renamed('qwen3', name));
    const original = await goldenModel('qwen3');
    expect(loaded.layers).toEqual(original.layers);
    expect(loaded.head).toEqual(original.head);
  });
});

describe('a head that is stored though it is tied', () => {
  it.each([
    ['llama', 'lm_head.weight'],
    ['gpt2', 'lm_head.weight'],
    ['bert', 'cls.predictions.decoder.weight'],
    ['roberta', 'lm_head.decoder.weight'],
    ['modernbert', 'decoder.weight'],
  ])('counts in a %s where it differs from the embedding', async (model, tensor) => {
    const { embedding } = await goldenModel(model);
    const loaded = await load(renamed(model, same, { [tensor]: embedding.words.shape }));
    expect(loaded.embedding.words.data).toEqual(embedding.words.data);
    expect(loaded.head.headWeight?.data.every((value) => value === 1)).toBe(true);
  });

  it('is kept once where it does not', async () => {
    const folder = renamed('llama', same, { 'lm_head.weight': [1] });
    const path = join(folder, 'model.safetensors');
    const bytes = readFileSync(path);
    const start = 8 + Number(bytes.readBigUInt64LE());
    const header = JSON.parse(bytes.toString('utf8', 8, start)) as Record<string, Entry>;
    const { data_offsets: place, ...embedding } = header['model.embed_tokens.weight'];
    const data = bytes.subarray(start, bytes.length - 4);
    const copy = data.subarray(...place);
    header['lm_head.weight'] = { ...embedding, data_offsets: [data.length, data.length + copy.length] };
    writeFileSync(path, safetensorsBytes(JSON.stringify(header), Buffer.concat([data, copy])));
    const loaded = await load(folder);
    expect(loaded.head.headWeight?.data).toBe(loaded.embedding.words.data);
  });
});
