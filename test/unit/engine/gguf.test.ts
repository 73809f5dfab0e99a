import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/core/errors';
import type { ModelShape } from '../../../src/core/shapes';
import { parseConfig } from '../../../src/engine/read/model/config';
import { ggufConfig } from '../../../src/engine/read/model/gguf/config';
import { type MetadataValue, readGgufHeader } from '../../../src/engine/read/model/gguf/header';
import { loadModel, openModel } from '../../../src/engine/read/model/load';
import { PromptTokenizer } from '../../../src/engine/read/tokenizer/tokenizer';
import { count, list, type Metadata, text, writeGgufFile } from '../../support/llama-cpp/gguf-file';
import { writeGguf } from '../../support/llama-cpp/gguf';
import { emptyStores, ggufMetadata, writeTinyGguf } from '../../support/model-stores';
import { modelsFolder, root } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';
import { refusalOf } from './malformed/outcome';

type Keys = Readonly<Record<string, MetadataValue>>;

/** The shape of a header without tensors. */
function shapeOf(architecture: string, keys: Keys): ModelShape {
  const own = Object.entries(keys).map(([key, value]) => [`${architecture}.${key}`, value] as const);
  return ggufConfig({ metadata: new Map([['general.architecture', architecture], ...own]), tensors: [] }, 'x.gguf').shape;
}

/** What a run of a header without tensors computes with. */
function runOf(architecture: string, keys: Keys) {
  const own = Object.entries(keys).map(([key, value]) => [`${architecture}.${key}`, value] as const);
  return ggufConfig({ metadata: new Map([['general.architecture', architecture], ...own]), tensors: [] }, 'x.gguf').run;
}

/** Layers, width, heads, key-value heads, feed-forward width, context length and vocabulary, as llama.cpp's converter writes them. */
function keysOf(layers: number, d: number, heads: number, kv: number, ff: number, context: number, vocabulary: number): Keys {
  return {
    ...{ block_count: layers, embedding_length: d, 'attention.head_count': heads, 'attention.head_count_kv': kv },
    ...{ feed_forward_length: ff, context_length: context, vocab_size: vocabulary },
    ...{ 'attention.layer_norm_rms_epsilon': 1e-6, 'rope.freq_base': 1e6, 'rope.dimension_count': 128 },
  };
}
const widths = (width: number): Keys => ({ 'attention.key_length': width, 'attention.value_length': width });
const layerNorm: Keys = { 'attention.layer_norm_epsilon': 1e-5 };
const yarn = (factor: number, original: number): Keys => ({
  ...{ 'rope.scaling.type': 'yarn', 'rope.scaling.factor': factor, 'rope.scaling.original_context_length': original },
});

describe('the metadata of a GGUF file', () => {
  it.each<[config: string, architecture: string, keys: Keys]>([
    ['Meta-Llama-3.1-8B', 'llama', keysOf(32, 4096, 32, 8, 14_336, 131_072, 128_256)],
    ['Mixtral-8x7B-v0.1', 'llama', { ...keysOf(32, 4096, 32, 8, 14_336, 32_768, 32_000), expert_count: 8, expert_used_count: 2 }],
    ['Qwen3-0.6B', 'qwen3', { ...keysOf(28, 1024, 16, 8, 3072, 40_960, 151_936), ...widths(128) }],
    [
      'Qwen3-30B-A3B',
      'qwen3moe',
      {
        ...keysOf(48, 2048, 32, 4, 6144, 40_960, 151_936),
        ...widths(128),
        ...{ expert_count: 128, expert_used_count: 8, expert_feed_forward_length: 768 },
      },
    ],
    [
      'gemma-2-9b',
      'gemma2',
      {
        ...keysOf(42, 3584, 16, 8, 14_336, 8192, 256_000),
        ...widths(256),
        ...{ 'attention.sliding_window': 4096, attn_logit_softcapping: 50, final_logit_softcapping: 30 },
      },
    ],
    ['gemma-3-1b-it', 'gemma3', { ...keysOf(26, 1152, 4, 1, 6912, 32_768, 262_144), ...widths(256), 'attention.sliding_window': 512 }],
    [
      'Phi-3-mini-128k',
      'phi3',
      {
        ...keysOf(32, 3072, 32, 32, 8192, 131_072, 32_064),
        'rope.dimension_count': 96,
        ...{ 'attention.sliding_window': 262_144, 'rope.scaling.original_context_length': 4096, 'rope.scaling.attn_factor': 1.19 },
      },
    ],
    [
      'pythia-1b',
      'gptneox',
      { ...keysOf(16, 2048, 8, 8, 8192, 2048, 50_304), use_parallel_residual: true, 'attention.layer_norm_epsilon': 1e-5 },
    ],
    ...['gpt-oss', 'gptoss'].map((architecture): [string, string, Keys] => [
      'gpt-oss-20b',
      architecture,
      {
        ...keysOf(24, 2880, 64, 8, 2880, 131_072, 201_088),
        ...widths(64),
        ...yarn(32, 4096),
        ...{ 'attention.sliding_window': 128, expert_count: 32, expert_used_count: 4, expert_feed_forward_length: 2880 },
      },
    ]),
    ['OLMo-2-7B', 'olmo2', keysOf(32, 4096, 32, 32, 11_008, 4096, 100_352)],
    ['Olmo-3-7B', 'olmo2', { ...keysOf(32, 4096, 32, 32, 11_008, 65_536, 100_278), ...yarn(8, 8192), 'attention.sliding_window': 4096 }],
  ])('gives the shape of %s as its config.json does, from %s', (config, architecture, keys) => {
    const path = join(root, 'test', 'fixtures', 'configs', config, 'config.json');
    const { parameters, ...expected } = parseConfig(readFileSync(path, 'utf8'), path).shape;
    const { parameters: counted, ...shape } = shapeOf(architecture, keys);
    expect(shape).toEqual(expected);
    // Without tensors they are counted from the shape; whether the head is tied is not known then.
    expect(Math.abs((counted ?? 0) - (parameters ?? 0))).toBeLessThanOrEqual(expected.vocabulary * expected.width);
  });

  it('has windows by list or by period, and linear ropes of either age', () => {
    const keys = keysOf(4, 64, 8, 2, 128, 1000, 100);
    const gemma = { ...keys, ...widths(8), 'attention.sliding_window': 16 };
    const masks = (own: Keys) => shapeOf('gemma3', { ...gemma, ...own }).attention;
    const [slides, sees] = [{ kind: 'sliding-window', window: 16 }, { kind: 'causal' }];
    const pattern = { length: 4, values: [true, false, false, true] };
    expect(masks({ 'attention.sliding_window_pattern': pattern })).toEqual({ kind: 'per-layer', cycle: [slides, sees, sees] });
    expect(masks({ 'attention.sliding_window_pattern': 2 })).toEqual({ kind: 'per-layer', cycle: [slides, sees] });
    expect(shapeOf('llama', { ...keys, 'attention.sliding_window': 16 }).attention).toEqual(slides);
    expect(shapeOf('llama', { ...keys, 'rope.scale_linear': 4 }).trainedTokens).toBe(4000);
    expect(shapeOf('llama', { ...keys, 'rope.scaling.type': 'linear', 'rope.scaling.factor': 2 }).trainedTokens).toBe(2000);
    expect(shapeOf('llama', { ...keys, 'attention.head_count_kv': { length: 4, values: [2, 2, 2, 2] } }).keyValueHeads).toBe(2);
  });

  it.each<[model: string, architecture: string, keys: Keys, head: number, scores: number]>([
    ['Gemma 2 9B', 'gemma2', keysOf(42, 3584, 16, 8, 14_336, 8192, 256_000), 256, 256],
    ['Gemma 2 27B', 'gemma2', keysOf(46, 4608, 32, 16, 36_864, 8192, 256_000), 128, 4608 / 32],
    ['Gemma 3 12B', 'gemma3', keysOf(48, 3840, 16, 8, 15_360, 131_072, 262_208), 256, 256],
    ['Gemma 3 27B', 'gemma3', keysOf(62, 5376, 32, 16, 21_504, 131_072, 262_208), 128, 5376 / 32],
  ])('has scores of %s by the width that llama.cpp takes', (_, architecture, keys, head, scores) => {
    const run = runOf(architecture, { ...keys, ...widths(head), 'rope.dimension_count': head, 'attention.sliding_window': 1024 });
    expect(run?.multipliers?.scores).toBe(scores ** -0.5);
  });

  it("takes a factor without a type for a linear one, and for YaRN in Ollama's gpt-oss alone", () => {
    const untyped = Object.fromEntries(Object.entries(yarn(4, 16)).filter(([key]) => key !== 'rope.scaling.type'));
    const keys = { ...keysOf(2, 64, 2, 2, 128, 64, 100), ...untyped, 'rope.dimension_count': 32 };
    const experts = { 'attention.sliding_window': 16, expert_count: 4, expert_used_count: 2 };
    const typeOf = (architecture: string, own: Keys) => runOf(architecture, own)?.rotary?.[0]?.scaling.type;
    expect(typeOf('llama', keys)).toBe('linear');
    expect(typeOf('gpt-oss', { ...keys, ...experts })).toBe('linear');
    expect(typeOf('gptoss', { ...keys, ...experts })).toBe('yarn');
  });

  it('has every number of columns that rotate, in heads of any width', () => {
    const wrong: string[] = [];
    for (let width = 4; width <= 256; width += 2) {
      for (let rotated = 2; rotated <= width; rotated += 2) {
        const keys = { ...keysOf(1, 2 * width, 2, 2, 8, 64, 16), 'rope.dimension_count': rotated };
        const neox = { ...keys, 'attention.layer_norm_epsilon': 1e-5, use_parallel_residual: true };
        const [rope] = runOf('gptneox', neox)?.rotary ?? [];
        if (rope === undefined || (rope.columns ?? width) !== rotated) {
          wrong.push(`${rotated} of ${width}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it.each<[what: string, architecture: string, own: Keys, message: RegExp]>([
    ['an architecture', 'mamba', {}, /general\.architecture "mamba" is not known; use a GGUF file of llama, /],
    ['a key about attention', 'llama', { 'attention.sinks': 4 }, /llama\.attention\.sinks is not known for this architecture/],
    ['no causal attention', 'qwen2', { 'attention.causal': false }, /qwen2\.attention\.causal is not known/],
    [
      'layers that differ',
      'llama',
      { 'attention.head_count_kv': { length: 2, values: [1, 2] } },
      /head_count_kv differs from layer to layer/,
    ],
    ['a text for a number', 'llama', { block_count: 'four' }, /llama\.block_count is no number/],
    ['a causal BERT', 'bert', { ...layerNorm, 'attention.causal': true }, /bert\.attention\.causal is true, and a BERT is an encoder/],
    ['a BERT that may be causal', 'bert', layerNorm, /bert\.attention\.causal is missing/],
    ['no window', 'gemma3', {}, /gemma3\.attention\.sliding_window is missing/],
    ['no heads', 'llama', { 'attention.head_count': 0 }, /num_attention_heads|num_key_value_heads|head_dim/],
    [
      'more experts than can have names',
      'qwen3moe',
      { expert_count: 65_536, expert_used_count: 2, expert_feed_forward_length: 8 },
      /65536 experts in 4 layers are 262144, and 65536 are allowed/,
    ],
    ['too many layers', 'llama', { block_count: 1e9 }, /num_hidden_layers/],
  ])('stops a plan at %s', async (_, architecture, own, message) => {
    expect(await refusalOf(() => shapeOf(architecture, { ...keysOf(4, 64, 8, 2, 128, 1000, 100), ...own }))).toMatch(message);
  });

  it('notes what changes nothing that is planned, and what reads images', () => {
    const keys = Object.entries({ ...keysOf(4, 64, 8, 2, 128, 1000, 100), flavour: 3, 'vision.attention.head_count': 16 });
    const metadata = new Map<string, MetadataValue>([
      ['general.architecture', 'llama'],
      ...keys.map(([key, value]) => [`llama.${key}`, value] as const),
    ]);
    const tensors = ['token_embd.weight', 'v.blk.0.weight', 'rope_freqs.weight'].map((name) => ({
      name,
      shape: [64, 100],
      elements: 6400,
      type: 0,
      at: 0,
    }));
    const read = ggufConfig({ metadata, tensors }, 'x.gguf');
    expect(read.notes).toEqual([
      'Only text is read: the part of the GGUF file that reads images is not.',
      'The GGUF file has llama.flavour, which is not known: planned as if it changed nothing.',
    ]);
    expect(read.shape.parameters).toBe(6400);
    expect(read.run).toBeUndefined();
    expect(read.lacks).toEqual([
      'the GGUF file has llama.flavour, which a run would not heed',
      'a rope on 128 columns of heads of 8 is not known of llama',
      'rope_freqs.weight is not read',
    ]);
  });
});

describe('a GGUF file', () => {
  it.each(['llama', 'llama-untied-bias', 'qwen2-plain', 'qwen3', 'smollm'])(
    'of the golden %s has the shape of its safetensors',
    async (golden) => {
      const model = await loadModel(await openModel(join(root, 'test', 'golden', golden), modelsFolder));
      const path = join(temporaryFolder(), 'model.gguf');
      await writeGguf(path, model, model.shape.trainedTokens ?? 0);
      const { config, storedType, name } = await openModel(path, modelsFolder, emptyStores().stores);
      expect(config.shape).toEqual(model.shape);
      expect({ storedType, name }).toEqual({ storedType: 'F32', name: 'model.gguf' });
      expect((await PromptTokenizer.load(path)).source.exact).toBe(true);
    },
  );

  it('in several parts is read from all of them, and from any', async () => {
    const folder = temporaryFolder();
    const part = (index: number): string => join(folder, `m-0000${index}-of-00002.gguf`);
    const tensor = (name: string, rows: number) => ({ name, shape: [64, rows], data: new Float32Array(64 * rows) });
    const split: Metadata = { 'split.count': count(2) };
    await writeGgufFile(part(1), { ...ggufMetadata('llama'), ...split }, [tensor('token_embd.weight', 4)]);
    await writeGgufFile(part(2), split, [tensor('output.weight', 4)]);
    const { stores } = emptyStores();
    for (const asked of [part(1), part(2), folder]) {
      const model = await openModel(asked, modelsFolder, stores);
      expect(model.config.shape.parameters).toBe(2 * 64 * 4);
      expect(model.storedBytes).toBe(readFileSync(part(1)).length + readFileSync(part(2)).length);
    }
    renameSync(part(2), join(folder, 'elsewhere'));
    expect(await refusalOf(() => openModel(part(1), modelsFolder, stores))).toContain('m-00002-of-00002.gguf cannot be read');
    copyFileSync(part(1), join(folder, 'renamed'));
    expect(await refusalOf(() => openModel(join(folder, 'renamed'), modelsFolder, stores))).toContain('is one of 2 files');
  });

  it('with a header of megabytes is read, and one without end is refused', async () => {
    const path = join(temporaryFolder(), 'm.gguf');
    const tokens = list(Array.from({ length: 300_000 }, (_, index) => text(`token ${index}`)));
    await writeGgufFile(path, { ...ggufMetadata('llama'), 'tokenizer.ggml.tokens': tokens }, []);
    const { metadata } = await readGgufHeader(path, path);
    expect(metadata.get('tokenizer.ggml.tokens')).toEqual({ length: 300_000, values: undefined });
    const whole = (await readGgufHeader(path, path, () => true)).metadata.get('tokenizer.ggml.tokens');
    expect(typeof whole === 'object' && [0, 299_999, 300_000].map((index) => whole.texts?.at(index))).toEqual([
      'token 0',
      'token 299999',
      undefined,
    ]);
    expect((await PromptTokenizer.load(path)).source).toEqual({
      name: 'o200k_base',
      exact: false,
      reason: 'The GGUF file has no tokenizer.',
      error: null,
    });
  });

  it.each<[what: string, change: (bytes: Buffer) => Buffer, message: RegExp]>([
    ['another format', () => Buffer.from('PK\u0003\u0004 and more'), /is no GGUF file/],
    ['nothing', () => Buffer.alloc(0), /is no GGUF file/],
    ['version 1', (bytes) => (bytes.writeUInt32LE(1, 4), bytes), /of version 1, and versions 2 and 3 are read/],
    ['the other byte order', (bytes) => (bytes.writeUInt32BE(3, 4), bytes), /of the other byte order/],
    ['too many tensors', (bytes) => (bytes.writeBigUInt64LE(2n ** 60n, 8), bytes), /declares 1152921504606847000 tensors/],
    ['too many keys', (bytes) => (bytes.writeBigUInt64LE(10_000_000n, 16), bytes), /declares 10000000 keys/],
    ['half of a header', (bytes) => bytes.subarray(0, 200), /ends within its header, at byte 200/],
    [
      'half of its tensors',
      (bytes) => bytes.subarray(0, bytes.length - 8),
      /token_embd.weight" up to byte \d+ of \d+; the file is truncated/,
    ],
  ])('is refused with %s', async (_, change, message) => {
    const path = join(temporaryFolder(), 'm.gguf');
    await writeTinyGguf(path);
    writeFileSync(path, change(readFileSync(path)));
    expect(await refusalOf(() => openModel(path, modelsFolder))).toMatch(message);
  });

  it('that holds a key twice is refused', async () => {
    const path = join(temporaryFolder(), 'm.gguf');
    await writeTinyGguf(path, 'llama', { aaaa: count(1), bbbb: count(2) });
    writeFileSync(path, Buffer.from(readFileSync(path, 'latin1').replace('llama.bbbb', 'llama.aaaa'), 'latin1'));
    await expect(openModel(path, modelsFolder)).rejects.toThrow(InputError);
    await expect(openModel(path, modelsFolder)).rejects.toThrow(/has the key "llama.aaaa" twice/);
  });
});
