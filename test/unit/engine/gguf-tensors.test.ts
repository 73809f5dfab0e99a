import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { llama3Scaling } from '../../../src/engine/read/model/gguf/rope';
import { GgufTensors } from '../../../src/engine/read/model/gguf/tensors';
import { type LoadedModel, loadModel, openModel } from '../../../src/engine/read/model/load';
import { frequencyDivisors } from '../../support/llama-cpp/rotary';
import { count, flag, type Metadata, real, text, type Tensor, writeGgufFile } from '../../support/llama-cpp/gguf-file';
import { writeGguf } from '../../support/llama-cpp/gguf';
import { modelsFolder, root } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';
import { refusalOf } from './malformed/outcome';

function golden(name: string) {
  return openModel(join(root, 'test', 'golden', name), modelsFolder).then(loadModel);
}

/** Numbers 0, 1, 2, ... in a shape, the fastest axis first. */
function tensor(name: string, ...shape: readonly number[]): Tensor {
  return { name, shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, index) => index) };
}

async function opened(architecture: string, metadata: Metadata, tensors: readonly Tensor[]): Promise<GgufTensors> {
  const path = join(temporaryFolder(), 'm.gguf');
  const own = Object.entries(metadata).map(([key, value]) => [`${architecture}.${key}`, value] as const);
  await writeGgufFile(path, { 'general.architecture': text(architecture), ...Object.fromEntries(own) }, tensors);
  return GgufTensors.open(path);
}

function numbersOf(source: GgufTensors, name: string): number[] {
  return Array.from(source.read(name).data);
}

describe('tensors of a GGUF file', () => {
  it('have their rows where the checkpoint has them', async () => {
    const heads = { 'attention.head_count': count(2), 'attention.head_count_kv': count(1) };
    const llama = await opened('llama', heads, [tensor('blk.0.attn_q.weight', 1, 8), tensor('blk.0.attn_k.bias', 4), tensor('other', 2)]);
    expect([...llama.names]).toEqual(['model.layers.0.self_attn.q_proj.weight', 'model.layers.0.self_attn.k_proj.bias', 'other']);
    expect(numbersOf(llama, 'model.layers.0.self_attn.q_proj.weight')).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
    expect(numbersOf(llama, 'model.layers.0.self_attn.k_proj.bias')).toEqual([0, 2, 1, 3]);
    const qwen = await opened('qwen3', heads, [tensor('blk.0.attn_q.weight', 1, 8)]);
    expect(numbersOf(qwen, 'model.layers.0.self_attn.q_proj.weight')).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const neox = await opened('gptneox', { 'attention.head_count': count(2) }, [tensor('blk.3.attn_qkv.weight', 1, 6)]);
    expect(numbersOf(neox, 'gpt_neox.layers.3.attention.query_key_value.weight')).toEqual([0, 2, 4, 1, 3, 5]);
  });

  it('are transposed, moved and taken apart as the checkpoint has them', async () => {
    const gpt2 = await opened('gpt2', {}, [tensor('blk.0.ffn_up.weight', 3, 2)]);
    expect(gpt2.shapeOf('h.0.mlp.c_fc.weight')).toEqual([3, 2]);
    expect(numbersOf(gpt2, 'h.0.mlp.c_fc.weight')).toEqual([0, 3, 1, 4, 2, 5]);
    const gemma = await opened('gemma2', {}, [tensor('blk.0.ffn_norm.weight', 3)]);
    expect(numbersOf(gemma, 'model.layers.0.pre_feedforward_layernorm.weight')).toEqual([-1, 0, 1]);
    const moe = await opened('qwen3moe', {}, [tensor('blk.1.ffn_gate_exps.weight', 2, 2, 3)]);
    expect([...moe.names]).toEqual([0, 1, 2].map((expert) => `model.layers.1.mlp.experts.${expert}.gate_proj.weight`));
    expect(moe.shapeOf('model.layers.1.mlp.experts.2.gate_proj.weight')).toEqual([2, 2]);
    expect(numbersOf(moe, 'model.layers.1.mlp.experts.2.gate_proj.weight')).toEqual([8, 9, 10, 11]);
    const pair = [tensor('blk.0.ffn_up_exps.weight', 2, 2, 1), tensor('blk.0.ffn_gate_exps.weight', 2, 2, 1)];
    const oss = await opened('gpt-oss', {}, [...pair, tensor('blk.0.ffn_gate_exps.bias', 2, 1), tensor('blk.0.ffn_up_exps.bias', 2, 1)]);
    expect(oss.shapeOf('model.layers.0.mlp.experts.gate_up_proj')).toEqual([1, 2, 4]);
    expect(numbersOf(oss, 'model.layers.0.mlp.experts.gate_up_proj')).toEqual([0, 0, 2, 2, 1, 1, 3, 3]);
    expect(numbersOf(oss, 'model.layers.0.mlp.experts.gate_up_proj_bias')).toEqual([0, 0, 1, 1]);
  });

  it('that are broken are refused in one line', async () => {
    const odd = await opened('llama', { 'attention.head_count': count(3) }, [
      tensor('blk.0.attn_q.weight', 1, 8),
      { ...tensor('blk.0.ffn_up.weight', 256, 1), stored: { type: 17, bytes: new Uint8Array(74) } },
      { ...tensor('output.weight', 1, 2), data: Float32Array.of(1, NaN) },
    ]);
    expect(await refusalOf(() => odd.read('model.layers.0.self_attn.q_proj.weight'))).toMatch(/attn_q\.weight has 8 rows for 3 heads/);
    expect(await refusalOf(() => odd.read('model.layers.0.mlp.up_proj.weight'))).toMatch(
      /is stored as IQ2_XS; use a file of the same model in/,
    );
    expect(await refusalOf(() => odd.read('lm_head.weight'))).toMatch(/output\.weight holds NaN at element 1/);
    expect(await refusalOf(() => odd.read('lm_head.bias'))).toMatch(/lacks lm_head\.bias/);
    const twice = [tensor('blk.0.attn_q.weight', 1, 8), tensor('model.layers.0.self_attn.q_proj.weight', 1, 8)];
    expect(await refusalOf(() => opened('llama', {}, twice))).toMatch(/beside another tensor that is model\.layers\.0\.self_attn\.q_proj/);
  });
});

describe('a GGUF model', () => {
  it('in several files is that of one file', async () => {
    const folder = temporaryFolder();
    const original = await golden('qwen3');
    const tensors: Tensor[] = [];
    await writeGguf(join(folder, 'whole.gguf'), original, 64, (each) => (tensors.push(each), each));
    const whole = await openModel(join(folder, 'whole.gguf'), modelsFolder);
    expect(whole.config.lacks).toEqual([]);
    const bytes = readFileSync(join(folder, 'whole.gguf'));
    expect(bytes.length).toBe(whole.storedBytes);
    const part = (index: number): string => join(folder, `m-0000${index}-of-00002.gguf`);
    // The header of the whole, with `split.count`, and half of its tensors in each file.
    const keys: Metadata = { 'split.count': count(2) };
    const metadata: Metadata = {
      'general.architecture': text('qwen3'),
      ...qwen3Keys(original),
      ...keys,
    };
    await writeGgufFile(part(1), metadata, tensors.slice(0, 9));
    await writeGgufFile(part(2), keys, tensors.slice(9));
    const model = await loadModel(await openModel(part(1), modelsFolder));
    expect(model.layers).toEqual((await loadModel(whole)).layers);
    await writeGgufFile(part(2), keys, tensors.slice(8));
    expect(await refusalOf(() => openModel(part(1), modelsFolder))).toMatch(/which another file of the model has/);
  });

  it('that cannot be run says why, and is planned', async () => {
    const path = join(temporaryFolder(), 'm.gguf');
    const original = await golden('llama');
    const asIq = (each: Tensor): Tensor =>
      each.name === 'token_embd.weight'
        ? { ...each, shape: [256, each.shape[1]], stored: { type: 17, bytes: new Uint8Array(74 * each.shape[1]) } }
        : each;
    await writeGguf(path, original, 64, asIq);
    const model = await openModel(path, modelsFolder);
    expect(model.config.run).toBeUndefined();
    expect(await refusalOf(() => loadModel(model))).toMatch(
      /its weights are in IQ2_XS, which cannot be run; use a file of the same model in one of F32, F16/,
    );
    await writeGguf(path, original, 64, (each) =>
      each.name === 'blk.1.ffn_up.weight' ? { ...each, name: 'blk.1.ffn_upper.weight' } : each,
    );
    expect(await refusalOf(async () => loadModel(await openModel(path, modelsFolder)))).toMatch(
      /has blk\.1\.ffn_upper\.weight, which no llama reads/,
    );
    await writeGguf(path, original, 64);
    writeFileSync(path, readFileSync(path).subarray(0, -40));
    expect(await refusalOf(() => openModel(path, modelsFolder))).toMatch(/the file is truncated/);
  });

  it('that is a BERT runs without the head that predicts masked tokens', async () => {
    const original = await golden('bert-plain');
    const { width: d, heads, layers, feedForwardWidth, vocabulary } = original.shape;
    const path = join(temporaryFolder(), 'm.gguf');
    const named = (weights: object, names: Readonly<Record<string, string>>): Tensor[] =>
      Object.entries(names).map(([key, name]) => {
        const { shape, data } = (weights as Record<string, { shape: number[]; data: Float32Array }>)[key];
        return { name, shape: [...shape].reverse(), data };
      });
    const parts = { query: 'attn_q', key: 'attn_k', value: 'attn_v' };
    const second = {
      output: 'attn_output',
      attentionNorm: 'attn_output_norm',
      up: 'ffn_up',
      down: 'ffn_down',
      mlpNorm: 'layer_output_norm',
    };
    const both = (names: Readonly<Record<string, string>>, layer: number) =>
      Object.fromEntries(
        Object.entries(names).flatMap(([key, name]) => [
          [`${key}Weight`, `blk.${layer}.${name}.weight`],
          [`${key}Bias`, `blk.${layer}.${name}.bias`],
        ]),
      );
    const outer = { words: 'token_embd.weight', positions: 'position_embd.weight', segments: 'token_types.weight' };
    const norm = { embeddingNormWeight: 'token_embd_norm.weight', embeddingNormBias: 'token_embd_norm.bias' };
    const keys: Metadata = {
      ...{
        block_count: count(layers),
        context_length: count(64),
        embedding_length: count(d),
        feed_forward_length: count(feedForwardWidth),
      },
      ...{
        'attention.head_count': count(heads),
        'attention.layer_norm_epsilon': real(original.norm.epsilon),
        vocab_size: count(vocabulary),
      },
      ...{ 'attention.causal': flag(false), pooling_type: count(1) },
    };
    await writeGgufFile(
      path,
      {
        'general.architecture': text('bert'),
        ...Object.fromEntries(Object.entries(keys).map(([key, value]) => [`bert.${key}`, value] as const)),
      },
      [
        ...named(original.embedding, { ...outer, ...norm }),
        ...original.layers.flatMap(({ project, outputAndMlp }, layer) => [
          ...named(project, both(parts, layer)),
          ...named(outputAndMlp, both(second, layer)),
        ]),
      ],
    );
    const model = await loadModel(await openModel(path, modelsFolder));
    expect(model.predicts).toBe('nothing');
    expect(model.layers).toEqual(original.layers);
    expect(model.embedding).toEqual(original.embedding);
    expect({ norm: model.norm, activation: model.activation, attention: model.shape.attention }).toEqual({
      ...{ norm: original.norm, activation: original.activation, attention: original.shape.attention },
    });
  });
});

function qwen3Keys({ shape, norm, rotary }: LoadedModel): Metadata {
  const keys: Metadata = {
    ...{ block_count: count(shape.layers), context_length: count(64), embedding_length: count(shape.width) },
    ...{ feed_forward_length: count(shape.feedForwardWidth), vocab_size: count(shape.vocabulary) },
    ...{ 'attention.head_count': count(shape.heads), 'attention.head_count_kv': count(shape.keyValueHeads) },
    ...{ 'attention.key_length': count(shape.headWidth), 'attention.value_length': count(shape.headWidth) },
    ...{ 'attention.layer_norm_rms_epsilon': real(norm.epsilon), 'rope.freq_base': real(rotary?.[0]?.theta ?? NaN) },
  };
  return Object.fromEntries(Object.entries(keys).map(([key, value]) => [`qwen3.${key}`, value] as const));
}

describe('the factors of a rope', () => {
  const divisorsOf = (theta: number, headWidth: number, [factor, low, high, trained]: readonly [number, number, number, number]) =>
    frequencyDivisors(
      { theta, scaling: { type: 'llama3', factor, lowFrequencyFactor: low, highFrequencyFactor: high, trainedTokens: trained } },
      headWidth,
    ) ?? new Float32Array();

  it.each<[name: string, theta: number, headWidth: number, scaling: readonly [number, number, number, number]]>([
    ['Llama 3.1', 500_000, 128, [8, 1, 4, 8192]],
    ['Llama 3.2', 500_000, 64, [32, 1, 4, 8192]],
  ])('are the scaling of %s', (_, theta, headWidth, [factor, low, high, trained]) => {
    expect(llama3Scaling(divisorsOf(theta, headWidth, [factor, low, high, trained]), theta)).toEqual({
      rope_type: 'llama3',
      factor,
      low_freq_factor: low,
      high_freq_factor: high,
      original_max_position_embeddings: trained,
    });
  });

  it('are one of the same results where the band is another', () => {
    const divisors = divisorsOf(500_000, 128, [8, 1.5, 5, 10_000]);
    const scaling = llama3Scaling(divisors, 500_000) as Record<string, number> | undefined;
    const again = divisorsOf(500_000, 128, [
      scaling?.factor ?? NaN,
      scaling?.low_freq_factor ?? NaN,
      scaling?.high_freq_factor ?? NaN,
      scaling?.original_max_position_embeddings ?? NaN,
    ]);
    again.forEach((value, column) => expect(value / divisors[column]).toBeCloseTo(1, 4));
  });

  it('of no such scaling are not taken for one', () => {
    expect(
      llama3Scaling(
        Float32Array.from({ length: 64 }, (_, column) => 1 + (column % 3)),
        500_000,
      ),
    ).toBeUndefined();
  });
});
