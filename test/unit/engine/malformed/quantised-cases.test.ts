import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../../src/engine/read/model/config';
import { checkLoadable, openModel } from '../../../../src/engine/read/model/load';
import { openCheckpoint, openTensors } from '../../../../src/engine/read/model/open-tensors';
import { modelsFolder } from '../../../support/paths';
import { type Config, quantisedFolder, spoilt, type Tensors } from '../../../support/quantised-cases';
import { f32 } from '../../../support/safetensors-writer';
import { configOf, copyOf, load } from './golden-copy';
import { outcomeOf, refusalOf } from './outcome';

const q = 'model.layers.0.self_attn.q_proj';
const up = 'model.layers.1.mlp.up_proj';
const rename = (from: string, to: string) => (tensors: Tensors) => {
  tensors[to] = tensors[from];
  Reflect.deleteProperty(tensors, from);
};
const drop = (name: string) => (tensors: Tensors) => Reflect.deleteProperty(tensors, name);
const reshape = (name: string, shape: readonly number[]) => (tensors: Tensors) => {
  tensors[name] = { ...tensors[name], shape };
};
const retype = (name: string, dtype: string) => (tensors: Tensors) => {
  tensors[name] = { ...tensors[name], dtype };
};
const byte = (name: string, at: number, value: number) => (tensors: Tensors) => {
  tensors[name].data[at] = value;
};
const say = (fields: Config) => (_: Tensors, config: Config) => {
  config.quantization_config = { ...(config.quantization_config as Config), ...fields };
};

describe('a quantised checkpoint that is broken', () => {
  it.each<[string, string, (tensors: Tensors, config: Config) => unknown, RegExp]>([
    ['scales are missing', 'gptq', drop(`${q}.scales`), /lacks .*q_proj\.scales, a part of a weight in GPTQ 4-bit; download/],
    ['zero points are missing', 'awq', drop(`${q}.qzeros`), /lacks .*q_proj\.qzeros, a part of a weight in AWQ 4-bit/],
    ['biases are missing', 'mlx', drop(`${q}.biases`), /lacks .*q_proj\.biases, a part of a weight in MLX 4-bit/],
    ['a scale is missing', 'fp8-blocks', drop(`${q}.weight_scale_inv`), /lacks .*q_proj\.weight_scale, a part of a weight in FP8/],
    ['codes are missing', 'gptq', drop(`${q}.qweight`), /has .*q_proj\.qzeros and 2 more, which no llama reads/],
    [
      'a scale is of no weight',
      'fp8-channels',
      rename(`${q}.input_scale`, `${q}.pre_quant_scale`),
      /pre_quant_scale, which no llama reads/,
    ],
    ['a weight of no name is there', 'awq', (tensors) => (tensors['x.weight'] = f32([1], [1])), /has x\.weight, which no mistral reads/],
    [
      'a weight is there twice',
      'gptq',
      (tensors) => (tensors[`${q}.weight`] = f32([1], [1])),
      /q_proj\.weight twice, plain and in GPTQ 4-bit/,
    ],
    [
      'groups do not divide',
      'gptq',
      say({ group_size: 20 }),
      /down_proj\.qweight: groups of 20 do not divide its 48 inputs; correct bits or group_size/,
    ],
    [
      'groups are of another size',
      'awq',
      say({ group_size: 8 }),
      /qzeros is \[\d, \d\] where AWQ 4-bit of this configuration has \[\d, \d\]/,
    ],
    ['bits are others', 'gptq', say({ bits: 8 }), /down_proj\.qweight: groups of 16 do not divide its 24 inputs/],
    [
      'codes do not fill words',
      'mlx',
      (_, config) => (config.quantization = config.quantization_config = { group_size: 16, bits: 3 }),
      /lines of 4 words of 32 bits, which codes of 3 bits do not fill/,
    ],
    ['a group does not exist', 'gptq', byte(`${q}.g_idx`, 4, 2), /g_idx puts input 1 in group 2 and there are 2 groups/],
    ['a group is below zero', 'gptq', byte(`${q}.g_idx`, 3, 255), /g_idx puts input 0 in group -\d+ and there are 2/],
    ['a scale is no number', 'awq', byte(`${q}.scales`, 1, 0x7e), /scales holds NaN at element 0; the weights must be finite/],
    ['a code is no number', 'fp8-blocks', byte(`${up}.weight`, 5, 0xff), /up_proj\.weight \(FP8\) holds NaN at element 5/],
    ['codes have another type', 'mlx', retype(`${q}.weight`, 'I32'), /q_proj\.weight is stored as I32 where MLX 4-bit has U32/],
    ['scales have another type', 'mlx', retype(`${q}.scales`, 'I16'), /scales is stored as I16 where MLX 4-bit has F32 or F16 or BF16/],
    ['a part has another rank', 'fp8-channels', reshape(`${up}.weight`, [48, 4, 8]), /\[48, 4, 8\] where FP8 .* has \[any, any\]/],
    ['scales have another shape', 'fp8-channels', reshape(`${up}.weight_scale`, [1, 48]), /\[1, 48\] where FP8 .* has \[48, 1\]/],
    ['blocks are others', 'fp8-blocks', say({ weight_block_size: [16, 16] }), /weight_scale_inv is .* where FP8 of this configuration has/],
    [
      'a length is zero',
      'awq',
      (tensors) => (tensors[`${q}.qweight`] = { dtype: 'I32', shape: [0, 8], data: new Uint8Array() }),
      /\[0, 8\]/,
    ],
    [
      'a weight is of another shape than the model means',
      'gptq',
      (_, config) => (config.intermediate_size = 64),
      /gate_proj\.weight is \[48, 32\] but its configuration means \[64, 32\]/,
    ],
    [
      'nothing is quantised',
      'gptq',
      (tensors) =>
        Object.keys(tensors)
          .filter((name) => /layers/.test(name))
          .forEach((name) => drop(name)(tensors)),
      /stored as GPTQ 4-bit, and none is/,
    ],
    [
      'the configuration says nothing',
      'gptq',
      (_, config) => (config.quantization_config = null),
      /q.*weight is stored as I32, as quantised weights are, and no quantization_config says how/,
    ],
    [
      'the configuration says nothing of MLX',
      'mlx',
      (_, config) => (config.quantization_config = config.quantization = null),
      /is stored as U32, as quantised/,
    ],
    [
      'a module apart is not there',
      'mlx',
      (_, config) => {
        config.quantization = { ...(config.quantization as Config), odd: { group_size: 16, bits: 4 } };
        config.quantization_config = null;
      },
      /says how odd is quantised, and it is not/,
    ],
    [
      'a module is quantised that should not be',
      'mlx',
      (_, config) => {
        config.quantization = { ...(config.quantization as Config), [q]: false };
        config.quantization_config = null;
      },
      /q_proj is quantised, which config\.json denies/,
    ],
  ])('is refused where %s', async (_what, name, change, message) => {
    expect(await refusalOf(() => load(spoilt(name, change)))).toMatch(message);
  });

  it('is refused by its headers already, where they tell', async () => {
    const folder = spoilt('gptq', drop(`${q}.scales`));
    const model = await openModel(folder, modelsFolder);
    expect(await refusalOf(() => openTensors(model))).toMatch(/lacks/);
    const sound = await openModel(join(quantisedFolder, 'gptq'), modelsFolder);
    const files = await openTensors(sound);
    expect(await outcomeOf(() => checkLoadable(sound, files))).toEqual({ value: undefined });
  });

  it("may be described by ModelOpt's file beside config.json, which is refused where it is broken", async () => {
    const folder = spoilt('fp8-channels', (_, config) => Reflect.deleteProperty(config, 'quantization_config'));
    expect(await refusalOf(() => load(folder))).toMatch(/is stored as F8_E4M3, as quantised weights are, and no quantization_config/);
    const beside = (text: string): void => writeFileSync(join(folder, 'hf_quant_config.json'), text);
    beside(JSON.stringify({ producer: { name: 'modelopt' }, quantization: { quant_algo: 'FP8', kv_cache_quant_algo: null } }));
    expect((await load(folder)).layers).toEqual((await load(join(quantisedFolder, 'fp8-channels'))).layers);
    beside(JSON.stringify({ quantization: { quant_algo: 'NVFP4', group_size: 16 } }));
    expect(await refusalOf(() => load(folder))).toMatch(
      /can be planned, not run: quantization_config: weights are stored as ModelOpt NVFP4/,
    );
    for (const text of ['{', '[]', '3', '{"quantization": 7}']) {
      beside(text);
      expect(await refusalOf(() => load(folder))).toMatch(/hf_quant_config\.json is not JSON|stored as ModelOpt of an unknown kind/);
    }
  });

  it('is refused where blocks of MXFP4 have a scale that is no number, or one too many', async () => {
    const name = 'model.layers.0.mlp.experts.gate_up_proj';
    const open = async (change: (tensors: Tensors) => unknown) => {
      const folder = spoilt('mxfp4', change);
      const stored = { format: 'MXFP4', quantisation: { kind: 'mxfp4' as const } };
      const files = await openCheckpoint(folder, { stored });
      return files.read(name);
    };
    expect(await refusalOf(() => open(byte(`${name}_scales`, 0, 255)))).toMatch(/gate_up_proj \(MXFP4\) holds NaN/);
    expect(await refusalOf(() => open(byte(`${name}_scales`, 0, 254)))).toMatch(/gate_up_proj \(MXFP4\) holds -?Infinity/);
    expect(await refusalOf(() => open(reshape(`${name}_scales`, [2, 20, 6])))).toMatch(/_scales is \[2, 20, 6\] where MXFP4/);
    expect(await refusalOf(() => open(reshape(`${name}_blocks`, [2, 40, 6, 8])))).toMatch(/_blocks is \[2, 40, 6, 8\] where MXFP4/);
  });
});

const read = (fields: unknown, key = 'quantization_config') =>
  parseConfig(JSON.stringify({ ...configOf('llama'), [key]: fields }), 'config.json');

const weights = { num_bits: 8, type: 'float', strategy: 'channel', symmetric: true, dynamic: false };
const grouped = (change: object, fields: object = {}) => ({
  ...{ quant_method: 'compressed-tensors', format: 'float-quantized', ...fields },
  config_groups: { group_0: { targets: ['Linear'], weights: { ...weights, ...change } } },
});
const gptq = { quant_method: 'gptq', bits: 4, group_size: 128 };
const awq = { quant_method: 'awq', bits: 4, group_size: 128, version: 'gemm', zero_point: true };

describe('what a configuration says of quantised weights', () => {
  it.each<[object, string]>([
    [{ quant_method: 'fp8', activation_scheme: 'static', ignored_layers: ['lm_head'], kv_cache_scheme: 'static' }, 'FP8'],
    [{ quant_method: 'fp8', fmt: 'float8_e4m3fn', weight_block_size: [128, 128], modules_to_not_convert: ['lm_head'] }, 'FP8'],
    [{ quant_method: 'fbgemm_fp8', activation_scale_ub: 1200, modules_to_not_convert: ['lm_head'] }, 'FP8'],
    [grouped({}), 'FP8'],
    [grouped({ strategy: 'tensor' }, { format: 'naive-quantized', quantization_status: 'frozen' }), 'FP8'],
    [grouped({ strategy: 'block', block_structure: [128, 128] }), 'FP8'],
    [grouped({ strategy: 'block', block_structure: '128x128' }), 'FP8'],
    [{ quant_method: 'modelopt', quant_algo: 'FP8', kv_cache_quant_algo: 'FP8', exclude_modules: ['lm_head'] }, 'FP8'],
    [{ quant_method: 'mxfp4', modules_to_not_convert: ['model.layers.*.self_attn'] }, 'MXFP4'],
    [{ group_size: 64, bits: 4 }, 'MLX 4-bit'],
    [{ group_size: 64, bits: 6, mode: 'affine', 'model.embed_tokens': { group_size: 32, bits: 8 }, lm_head: false }, 'MLX 6-bit'],
    [
      { ...gptq, desc_act: true, sym: true, damp_percent: 0.1, checkpoint_format: 'gptq', meta: { quantizer: 'gptqmodel:1.0' } },
      'GPTQ 4-bit',
    ],
    [
      { ...gptq, bits: 3, group_size: -1, modules_in_block_to_quantize: [['self_attn.k_proj']], checkpoint_format: 'gptq_v2' },
      'GPTQ 3-bit',
    ],
    [awq, 'AWQ 4-bit'],
    [{ ...awq, version: 'GEMM', modules_to_not_convert: null, do_fuse: false }, 'AWQ 4-bit'],
  ])('runs: %j', (fields, format) => {
    const { run, notes, stored, shape } = read(fields);
    expect(run).toBeDefined();
    expect(stored?.format).toBe(format);
    expect(notes.at(-1)).toContain(`Weights are stored as ${format} and run in float32`);
    expect(shape).toEqual(read(null).shape);
  });

  it.each<[object, RegExp]>([
    [{ quant_method: 'bitsandbytes', load_in_4bit: true, bnb_4bit_quant_type: 'nf4' }, /weights are stored as bitsandbytes NF4, which/],
    [{ quant_method: 'bitsandbytes', load_in_8bit: true }, /weights are stored as bitsandbytes int8, which/],
    [{ load_in_4bit: true }, /bitsandbytes FP4/],
    [{ quant_method: 'hqq', quant_config: {} }, /stored as HQQ, which/],
    [{ quant_method: 'aqlm' }, /stored as AQLM, which/],
    [{ quant_method: 'eetq' }, /stored as EETQ int8, which/],
    [{ quant_method: 'torchao' }, /stored as torchao, which/],
    [{ quant_method: 'new-thing' }, /stored as new-thing, which/],
    [{ quant_method: 'modelopt', quant_algo: 'NVFP4' }, /stored as ModelOpt NVFP4, which/],
    [grouped({}, { format: 'nvfp4-pack-quantized' }), /stored as compressed-tensors nvfp4-pack-quantized, which/],
    [grouped({}, { format: 'pack-quantized' }), /stored as compressed-tensors pack-quantized, which/],
    [{ group_size: 32, bits: 4, mode: 'mxfp4' }, /stored as MLX mxfp4, which/],
    [{}, /a format without a quant_method, which/],
    [{ quant_method: 3 }, /a format without a name, which/],
    [{ ...gptq, bits: 5 }, /GPTQ 5-bit with bits 5 is not read/],
    [{ ...gptq, dynamic: { '+:.*': { bits: 8 } } }, /GPTQ 4-bit with dynamic\.\+:\.\* an object is not read/],
    [{ ...gptq, checkpoint_format: 'marlin' }, /with checkpoint_format "marlin" is not read/],
    [{ ...gptq, rotation: 'hadamard' }, /with rotation "hadamard" is not read/],
    [{ quant_method: 'gptq', bits: 4 }, /with no group_size is not read/],
    [{ ...awq, version: 'gemv' }, /AWQ 4-bit with version "gemv" is not read/],
    [{ ...awq, zero_point: false }, /with zero_point false is not read/],
    [{ quant_method: 'fp8', weight_block_size: [128] }, /FP8 with weight_block_size/],
    [grouped({ type: 'int' }), /compressed-tensors with config_groups\.group_0\.weights\.type "int" is not read/],
    [grouped({ strategy: 'block' }), /compressed-tensors with strategy "block" without a block_structure is not read/],
    [grouped({}, { transform_config: { config_groups: {} } }), /compressed-tensors with transform_config\.config_groups an object/],
    [{ quant_method: 'mxfp4', odd: 1 }, /MXFP4 with odd 1 is not read/],
    [{ group_size: 64, bits: 4, odd: 1 }, /MLX 4-bit with odd 1 is not read/],
  ])('plans and does not run, and names the format and the way out: %j', (fields, lack) => {
    const { run, lacks, shape } = read(fields);
    expect(run).toBeUndefined();
    expect(lacks).toHaveLength(1);
    expect(lacks[0]).toMatch(lack);
    expect(lacks[0]).toMatch(/^quantization_config: .*; use the model's own checkpoint, in F32, F16 or BF16$/);
    expect(shape).toEqual(read(null).shape);
  });

  it('may stand under two keys, if it is the same', () => {
    const both = (one: object, other: object) =>
      parseConfig(JSON.stringify({ ...configOf('llama'), quantization: one, quantization_config: other }), 'config.json');
    expect(both({ group_size: 64, bits: 4 }, { group_size: 64, bits: 4 }).lacks).toEqual([]);
    expect(both({ group_size: 64, bits: 4 }, gptq).lacks[0]).toMatch(/quantization_config and quantization say different things/);
    expect(read(grouped({}), 'compression_config').run).toBeDefined();
  });
});

describe('a folder whose weights are in files that are not read', () => {
  it.each([
    ['pytorch_model-00001-of-00002.bin', /its weights are PyTorch pickles \(pytorch_model-00001-of-00002\.bin\), which are not read/],
    ['onnx/model.onnx', /its weights are ONNX \(model\.onnx\), which are not read; convert them to safetensors, or use a copy/],
    ['weights.npz', /its weights are NumPy archives \(weights\.npz\)/],
    ['tf_model.h5', /its weights are TensorFlow \(tf_model\.h5\)/],
    ['training_args.bin', /has no weights .*give a folder with its safetensors files/],
  ])('plans, and says what they are: %s', async (file, message) => {
    const folder = copyOf('llama');
    rmSync(join(folder, 'model.safetensors'));
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), 'x');
    const { lacks } = (await openModel(folder, modelsFolder)).config;
    expect(lacks.join()).toMatch(file === 'training_args.bin' ? /^$/ : message);
    expect(await refusalOf(() => load(folder))).toMatch(message);
  });
});
