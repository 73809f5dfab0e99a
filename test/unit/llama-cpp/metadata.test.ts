import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type LoadedModel, loadModel, openModel } from '../../../src/engine/read/model/load';
import { compareFileWithLlama, llamaFolder, ourLogits } from '../../support/llama-cpp/compare';
import { count, flag, type Metadata, real, text, type Tensor } from '../../support/llama-cpp/gguf-file';
import { llamaArchitectures, writeGguf } from '../../support/llama-cpp/gguf';
import { installLlama, llamaRefusal } from '../../support/llama-cpp/install';
import { modelsFolder, root } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';
import { refusalOf } from '../engine/malformed/outcome';

/** Keys of an architecture that a file has besides those of its model, or in their place; null leaves one out. */
type Keys = Readonly<Record<string, Metadata[string] | null>>;
type Row = readonly [golden: string, what: string, keys: Keys, change: Change];

/** What is done to a golden model and to its tensors before the file is written. */
interface Change {
  readonly model?: (model: LoadedModel) => LoadedModel;
  readonly tensor?: (tensor: Tensor) => Tensor;
}

const rope = (type: string | null, factor: number | null, others: Keys = {}): Keys => ({
  'rope.scaling.type': type === null ? null : text(type),
  'rope.scaling.factor': factor === null ? null : real(factor),
  ...others,
});
const original: Keys = { 'rope.scaling.original_context_length': count(16) };
const sines = (factor: number): Keys => ({ 'rope.scaling.attn_factor': real(factor) });
const noBase: Keys = { 'rope.freq_base': null };

const plain: Change = {};

/** Llama 3.1's factors, all of them 1. */
const ones: Change = { tensor: (tensor) => (tensor.name === 'rope_freqs.weight' ? { ...tensor, data: tensor.data.map(() => 1) } : tensor) };

/** As many layers as the largest of a family has, by which llama.cpp knows it. */
const layers = (total: number): Change => ({
  model: (model) => {
    const repeated = <T>(list: readonly T[]): T[] => Array.from({ length: total }, (_, index) => list[index % list.length]);
    return {
      ...model,
      shape: { ...model.shape, layers: total },
      layers: repeated(model.layers),
      ...(model.rotary && { rotary: repeated(model.rotary) }),
    };
  },
});

/** The writer knows no YaRN as gpt-oss has it. */
const plainRope: Change = {
  model: (model) => ({
    ...model,
    ...(model.rotary && { rotary: model.rotary.map((one) => one && { ...one, scaling: { type: 'none' } }) }),
  }),
};

/** Keys with which logits are others, and those of llama.cpp. */
const heeded: readonly Row[] = [
  ['llama-rope-llama3', 'a factor beside factors of columns that are 1', rope('linear', 4), ones],
  ['llama-rope-llama3', 'YaRN beside factors of columns that are 1', rope('yarn', 4, { ...original, ...sines(1.3) }), ones],
  ['llama', 'a factor without a type, beside an original length', rope(null, 4, original), plain],
  ['llama', 'a factor by its older name', { 'rope.scale_linear': real(4) }, plain],
  ['llama', 'a factor of YaRN below 1, and one of sines', rope('yarn', 0.5, { ...original, ...sines(1.3) }), plain],
  ['llama', 'YaRN with a factor of sines alone', rope('yarn', null, sines(1.3)), plain],
  ['phi3', 'another factor of sines', sines(1.3), plain],
  ['phi3', 'no factor of sines', { 'rope.scaling.attn_factor': null }, plain],
  ['phi3', 'no original length', { 'rope.scaling.original_context_length': null, context_length: count(1000) }, plain],
  ['mixtral', 'another base', { 'rope.freq_base': real(500) }, plain],
  ['gemma3', 'no base', noBase, plain],
  ['gemma3', 'a base of layers with a window', { 'rope.freq_base_swa': real(500) }, plain],
  ['gemma3', 'a cap of logits', { final_logit_softcapping: real(3) }, plain],
  ['phi3', 'no base', noBase, plain],
  ['cohere2', 'no base', noBase, plain],
  ['cohere2', 'a factor', rope('linear', 4), plain],
  ['gpt-neox', 'whole heads, as no number of columns says', { 'rope.dimension_count': null }, plain],
  ['gpt-neox', 'halves one after the other', { use_parallel_residual: flag(false) }, plain],
  ['granite', 'no factor of scores', { 'attention.scale': null }, plain],
  ['granite', 'a factor of scores of 0', { 'attention.scale': real(0) }, plain],
  ['granite', 'no factor of embeddings, and none of halves', { embedding_scale: null, residual_scale: null }, plain],
  ['gemma3', 'YaRN', rope('yarn', 4, original), plain],
  ['gemma3', 'windows in two layers of three', { 'attention.sliding_window_pattern': count(3) }, plain],
  ['gpt-oss', 'another base and a factor', rope('linear', 4, noBase), plainRope],
  ['gpt-oss', 'YaRN whose ramp is within the first column', rope('yarn', 4, { ...noBase, ...original, ...sines(1.3) }), plainRope],
  ['olmo3', 'a factor', rope('linear', 4, sines(1)), plain],
  ['gpt-neox', 'YaRN on a part of each head', rope('yarn', 4, { ...original, ...sines(1.3) }), plain],
  ['cohere2', 'YaRN', rope('yarn', 4, { ...original, ...sines(1.3) }), plain],
  ['gemma2', 'YaRN', rope('yarn', 4, { ...original, ...sines(1.3) }), plain],
  ['gemma2', 'no caps', { attn_logit_softcapping: null, final_logit_softcapping: null }, plain],
  ['mpt', 'less ALiBi', { 'attention.max_alibi_bias': real(4) }, plain],
];

/** Keys that change nothing, as in llama.cpp. */
const idle: readonly Row[] = [
  ['llama', 'a factor of no scaling', rope('none', 4), plain],
  ['llama', 'a factor of 0', rope('linear', 0), plain],
  ['llama', 'an epsilon of another norm', { 'attention.layer_norm_epsilon': real(0.5) }, plain],
  ['mixtral', 'no base', noBase, plain],
  ['smollm3', 'no base', noBase, plain],
  ['olmo3', 'no base', noBase, plain],
  ['granite', 'a trained rope', { 'rope.scaling.finetuned': flag(true) }, plain],
  ['qwen3-moe', 'weights of experts that sum to 1', { expert_weights_norm: flag(true) }, plain],
  ['bloom', 'less ALiBi than it has', { 'attention.max_alibi_bias': real(4) }, plain],
];

/** Keys that stop a run, by name. */
const refused: readonly (readonly [...row: Row, message: RegExp])[] = [
  ['llama-rope-llama3', 'a factor beside factors of columns', rope('linear', 4), {}, /rope\.scaling\.factor 4 beside rope_freqs\.weight/],
  ['llama-rope-llama3', 'a factor of sines beside them', rope('yarn', null, sines(2)), {}, /attn_factor 2 beside rope_freqs\.weight/],
  ['phi3', 'a factor beside factors of columns', rope('linear', 4), {}, /rope\.scaling\.factor 4 beside rope_factors_long\.weight/],
  ['llama', 'a factor of sines without a scaling', sines(2), {}, /rope\.scaling\.attn_factor 2 without YaRN/],
  ['llama', 'a factor of sines in a linear scaling', rope('linear', 4, sines(2)), {}, /rope\.scaling\.attn_factor 2 without YaRN/],
  ['llama', 'a scaling that is not known', rope('dynamic', 4), {}, /rope\.scaling\.type "dynamic"/],
  ['llama', 'a scaling by number', { 'rope.scaling.type': count(1) }, {}, /llama\.rope\.scaling\.type is no text/],
  ['llama', 'a factor below 0', rope('linear', -4), {}, /rope\.scaling\.factor -4 is not read/],
  ['llama', 'no epsilon', { 'attention.layer_norm_rms_epsilon': null }, {}, /llama\.attention\.layer_norm_rms_epsilon is missing/],
  ['llama', 'a factor of scores', { 'attention.scale': real(0.5) }, {}, /llama\.attention\.scale, which a run would not heed/],
  ['gpt2', 'no epsilon', { 'attention.layer_norm_epsilon': null }, {}, /gpt2\.attention\.layer_norm_epsilon is missing/],
  ['gpt-neox', 'no order of halves', { use_parallel_residual: null }, {}, /gptneox\.use_parallel_residual is missing/],
  ['cohere2', 'no factor of logits', { logit_scale: null }, {}, /cohere2\.logit_scale is missing/],
  ['granite', 'no factor of logits', { logit_scale: null }, {}, /granite\.logit_scale is missing/],
  ['granite', 'no rope', { 'rope.scaling.finetuned': flag(false) }, {}, /granite\.rope\.scaling\.finetuned is false/],
  ['mpt', 'no ALiBi', { 'attention.max_alibi_bias': null }, {}, /mpt\.attention\.max_alibi_bias is missing or 0/],
  ['mpt', 'ALiBi of 0', { 'attention.max_alibi_bias': real(0) }, {}, /mpt\.attention\.max_alibi_bias is missing or 0/],
  ['gemma2', 'another base of layers with a window', { 'rope.freq_base_swa': real(500) }, {}, /gemma2\.rope\.freq_base_swa/],
  ['gemma3', 'a cap of scores', { attn_logit_softcapping: real(5) }, {}, /gemma3\.attn_logit_softcapping/],
  [
    'gemma3',
    'a factor of sines',
    rope('yarn', 4, sines(1.3)),
    {},
    /gemma3\.rope\.scaling\.attn_factor scales sines of layers with a window/,
  ],
  ['mpt', 'clamped queries', { 'attention.clamp_kqv': real(1) }, {}, /mpt\.attention\.clamp_kqv/],
  ['qwen3-moe', 'weights of all experts', { expert_weights_norm: flag(false) }, {}, /qwen3moe\.expert_weights_norm/],
  ['mixtral', 'weights of all experts', { expert_weights_norm: flag(false) }, {}, /llama\.expert_weights_norm/],
  ['mixtral', 'another choice of experts', { expert_gating_func: count(2) }, {}, /llama\.expert_gating_func/],
];

const folder = join(root, 'test', 'golden');

async function loaded(path: string): Promise<LoadedModel> {
  return loadModel(await openModel(path, modelsFolder));
}

/** Float32 against float32; a GELU of llama.cpp's is a table in float16. */
function toleranceOf({ activation }: LoadedModel): number {
  return activation.startsWith('gelu') ? 2e-2 : 1e-4;
}

function tokensOf(golden: string): Int32Array {
  return Int32Array.from((JSON.parse(readFileSync(join(folder, golden, 'golden.json'), 'utf8')) as { tokens: number[] }).tokens);
}

/** Logits of a golden model's file with no other keys, computed once. */
const plainOnes = new Map<string, Map<Change, Promise<Float32Array>>>();
function plainLogits(golden: string, change: Change): Promise<Float32Array> {
  const known = plainOnes.get(golden) ?? new Map<Change, Promise<Float32Array>>();
  plainOnes.set(golden, known);
  const logits = known.get(change) ?? fileOf(golden, {}, change).then(async (path) => ourLogits(await loaded(path), tokensOf(golden)));
  known.set(change, logits);
  return logits;
}

/** A file of a golden model with other keys. */
async function fileOf(golden: string, keys: Keys, { model = (same) => same, tensor }: Change = {}): Promise<string> {
  const path = join(temporaryFolder(), 'model.gguf');
  const given = await loaded(join(folder, golden));
  const own = Object.entries(keys).map(([key, value]) => [`${llamaArchitectures[given.modelType]}.${key}`, value] as const);
  const changed = (metadata: Metadata): Metadata =>
    Object.fromEntries(
      Object.entries({ ...metadata, ...Object.fromEntries(own) }).filter((entry): entry is [string, Metadata[string]] => entry[1] !== null),
    );
  await writeGguf(path, model(given), given.shape.trainedTokens ?? 64, tensor, undefined, changed);
  return path;
}

describe('metadata of a GGUF file', () => {
  it.for(refused)('of a %s with %s stop a run by name', async ([golden, , keys, change, message]) => {
    const path = await fileOf(golden, keys, change);
    expect(await refusalOf(() => loaded(path))).toMatch(message);
  });
});

describe.skipIf(llamaRefusal !== undefined)('metadata of a GGUF file against llama.cpp', () => {
  let missing: string | undefined;

  beforeAll(async () => {
    await installLlama(llamaFolder).catch((error: unknown) => {
      missing = String(error);
    });
  });

  const cases = [...heeded.map((row) => [...row, true] as const), ...idle.map((row) => [...row, false] as const)];

  it.for(cases)('of a %s with %s give its logits', async (row, { annotate, skip }) => {
    const [golden, , keys, change] = row;
    skip(missing !== undefined, missing);
    const tokens = tokensOf(golden);
    const path = await fileOf(golden, keys, change);
    const model = await loaded(path);
    const { difference, ours } = await compareFileWithLlama(model, path, tokens, model);
    const before = await plainLogits(golden, change);
    const moved = ours.reduce((most, x, at) => Math.max(most, Math.abs(x - before[at])), 0);
    await annotate(`largest difference ${difference.toExponential(1)}, moved by ${moved.toExponential(1)}`);
    expect(difference).toBeLessThan(toleranceOf(model));
    expect(moved > 2 * toleranceOf(model)).toBe(row[4]);
  });

  it.for([
    ['gemma2', 46],
    ['gemma3', 62],
  ] as const)('of a %s with %i layers, a 27B, has scores by its width over its heads', async ([golden, total], { skip }) => {
    skip(missing !== undefined, missing);
    const model = await loaded(await fileOf(golden, {}, layers(total)));
    const { width, heads, headWidth } = model.shape;
    expect(model.multipliers?.scores).toBe((width / heads) ** -0.5);
    expect(width / heads).not.toBe(headWidth);
    const { difference } = await compareFileWithLlama(model, await fileOf(golden, {}, layers(total)), tokensOf(golden), model);
    expect(difference).toBeLessThan(toleranceOf(model));
  });
});
