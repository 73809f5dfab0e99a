import * as z from 'zod';
import { InputError } from '../../../../core/errors';
import { shown } from '../../../../core/text/printable';
import { allocate } from '../weights';
import { moduleNames } from './fields';
import { floatTypes, partShape, type PackedWeight, type PackedWeights, type StoredTensors } from './stored-tensors';

const length = z.number().int().positive().max(1_048_576);
const block = z.tuple([length, length]);
/** Activations and the key-value cache, which a run has in float32 whatever is said of them. */
const ofActivations = z.unknown().optional();

/** DeepSeek's, Qwen3's and transformers' own form. */
const fineGrained = z.strictObject({
  quant_method: z.literal('fp8'),
  fmt: z.literal(['e4m3', 'e5m2', 'float8_e4m3fn', 'float8_e5m2']).optional(),
  weight_block_size: block.optional(),
  // Scales of a power of two are stored as the others are.
  scale_fmt: z.literal(['ue8m0', 'float']).optional(),
  activation_scheme: z.literal(['dynamic', 'static']).optional(),
  kv_cache_scheme: ofActivations,
  dequantize: z.boolean().optional(),
  modules_to_not_convert: moduleNames,
  ignored_layers: moduleNames,
  ignore: moduleNames,
});

/** Meta's form. */
const fbgemm = z.strictObject({
  quant_method: z.literal('fbgemm_fp8'),
  activation_scale_ub: ofActivations,
  modules_to_not_convert: moduleNames,
  dequantize: z.boolean().optional(),
});

/** A group of modules in the form of compressed-tensors. */
const group = z.strictObject({
  targets: moduleNames,
  input_activations: ofActivations,
  output_activations: ofActivations,
  format: z.literal(['float-quantized', 'naive-quantized']).optional(),
  weights: z.strictObject({
    num_bits: z.literal(8),
    type: z.literal('float'),
    strategy: z.literal(['tensor', 'channel', 'block']).optional(),
    block_structure: z.union([block, z.string().regex(/^\d{1,6}x\d{1,6}$/)]).optional(),
    symmetric: z.literal(true).optional(),
    dynamic: z.literal(false).optional(),
    // How the scales were found, and their type, which their tensors have.
    observer: z.unknown().optional(),
    observer_kwargs: z.unknown().optional(),
    scale_dtype: z.unknown().optional(),
    zp_dtype: z.unknown().optional(),
  }),
});
const groups = z.record(z.string(), group).refine((all) => Object.keys(all).length > 0);

/** The form of compressed-tensors (llm-compressor, neuralmagic). */
const compressed = z.strictObject({
  quant_method: z.literal('compressed-tensors'),
  config_groups: groups,
  format: z.literal(['float-quantized', 'naive-quantized']).optional(),
  quantization_status: z.literal(['compressed', 'frozen']).optional(),
  ignore: moduleNames,
  kv_cache_scheme: ofActivations,
  sparsity_config: z.union([z.strictObject({}), z.looseObject({ format: z.literal('dense') })]).optional(),
  transform_config: z.strictObject({}).optional(),
  global_compression_ratio: z.unknown().optional(),
  version: z.unknown().optional(),
});

/** NVIDIA's form, in `quantization_config` or in `hf_quant_config.json`. */
const modelopt = z.strictObject({
  quant_method: z.literal('modelopt'),
  quant_algo: z.literal('FP8'),
  config_groups: groups.optional(),
  kv_cache_quant_algo: ofActivations,
  kv_cache_scheme: ofActivations,
  exclude_modules: moduleNames,
  ignore: moduleNames,
  producer: z.unknown().optional(),
});

/** What a configuration says of weights in FP8. */
export const float8Fields = z.discriminatedUnion('quant_method', [fineGrained, fbgemm, compressed, modelopt]);

/** Rows and columns of a block of weights that share a scale; undefined if each tensor or each row has one. */
type Block = readonly [rows: number, columns: number] | undefined;

/** How weights are stored in FP8. @throws InputError if modules differ in it: a clause */
export function float8Block(fields: z.infer<typeof float8Fields>): Block {
  switch (fields.quant_method) {
    case 'fp8':
      return fields.weight_block_size;
    case 'fbgemm_fp8':
      return undefined;
    default: {
      const blocks = Object.values(fields.config_groups ?? {}).map(({ weights }) => blockOf(weights));
      if (new Set(blocks.map(String)).size > 1) {
        throw new InputError('config_groups with blocks of several sizes');
      }
      return blocks[0];
    }
  }
}

function blockOf({ strategy, block_structure: structure }: z.infer<typeof group>['weights']): Block {
  if (strategy !== 'block') {
    return undefined;
  }
  const [rows, columns] = typeof structure === 'string' ? structure.split('x').map(Number) : (structure ?? [0, 0]);
  if (rows === 0 || columns === 0) {
    throw new InputError('strategy "block" without a block_structure');
  }
  return [rows, columns];
}

/** The values of all codes, in E4M3 (without infinities: 0x7f is NaN) and E5M2 (the upper half of a float16). */
const tables: Readonly<Record<string, Float32Array>> = {
  F8_E4M3: Float32Array.from({ length: 256 }, (_, code) => ((code & 0x7f) === 0x7f ? NaN : valueOf(code, 3, 7))),
  F8_E5M2: Float32Array.from({ length: 256 }, (_, code) => {
    const magnitude = code & 0x7f;
    return magnitude < 0x7c ? valueOf(code, 2, 15) : magnitude > 0x7c ? NaN : code < 0x80 ? Infinity : -Infinity;
  }),
};

function valueOf(code: number, fractionBits: number, bias: number): number {
  const fraction = (code & ((1 << fractionBits) - 1)) / (1 << fractionBits);
  const exponent = (code & 0x7f) >> fractionBits;
  const magnitude = exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
  return code < 0x80 ? magnitude : -magnitude;
}

/**
 * The values of weights in FP8, `[rows, columns]`: `code * scale`, rounded to float32.
 *
 * Source of the codes: OCP 8-bit floating point, and torch's `float8_e4m3fn` and `float8_e5m2`; of the blocks: DeepSeek-V3's
 * `weight_dequant`, with scales `[ceil(rows / block rows), ceil(columns / block columns)]`.
 */
export function dequantiseFloat8(
  codes: Uint8Array,
  type: string,
  scales: Float32Array,
  [rows, columns]: readonly number[],
  [blockRows, blockColumns]: readonly number[],
  target: Float32Array,
): Float32Array {
  const values = tables[type];
  const scalesOfRow = Math.ceil(columns / blockColumns);
  for (let row = 0; row < rows; row += 1) {
    const firstScale = Math.floor(row / blockRows) * scalesOfRow;
    for (let column = 0; column < columns; column += 1) {
      const at = row * columns + column;
      target[at] = values[codes[at]] * scales[firstScale + Math.floor(column / blockColumns)];
    }
  }
  return target;
}

/** Scales of activations, keys and values, which a run has in float32; of the module itself, or of the attention around it. */
const activationScales = ['input_scale', 'input_scale_ub', 'output_scale', 'k_scale', 'v_scale'];
const attentionScales = ['k_scale', 'v_scale'];

/**
 * Weights in FP8: a `weight` of codes, and its `weight_scale`, or with DeepSeek `weight_scale_inv`, which is multiplied as well.
 *
 * @throws InputError if a scale is missing, or of another type or shape
 */
export function float8Weights(files: StoredTensors, blockSize: Block): PackedWeights {
  const weights = new Map<string, PackedWeight>();
  for (const weight of files.names) {
    const { type, shape: stored } = files.storedOf(weight) ?? { type: '', shape: [] };
    if (!Object.hasOwn(tables, type) || !weight.endsWith('.weight')) {
      continue;
    }
    const shape = partShape(files, weight, 'FP8', [type], [undefined, undefined]);
    const scale = [`${weight}_scale_inv`, `${weight}_scale`].find((name) => files.storedOf(name) !== undefined) ?? `${weight}_scale`;
    const [rows, columns] = stored;
    const scaleShape = files.storedOf(scale)?.shape ?? [];
    const own = blockSize ?? (scaleShape.reduce((product, size) => product * size, 1) === 1 ? [rows, columns] : [1, columns]);
    const expected = [Math.ceil(rows / own[0]), Math.ceil(columns / own[1])];
    // One scale may have any rank up to the weight's; one for each row, that of a vector.
    const short = blockSize === undefined && scaleShape.length < 2;
    partShape(files, scale, 'FP8', floatTypes, short ? expected.slice(0, scaleShape.length) : expected);
    const module = weight.slice(0, -'.weight'.length);
    const around = module.slice(0, Math.max(0, module.lastIndexOf('.')));
    const ignored = [...activationScales.map((name) => `${module}.${name}`), ...attentionScales.map((name) => `${around}.${name}`)].filter(
      (name) => files.storedOf(name) !== undefined,
    );
    weights.set(weight, {
      parts: [weight, scale, ...ignored],
      shape,
      read() {
        const [codes, { data }] = [files.readBytes(weight), files.read(scale)];
        return dequantiseFloat8(codes, type, data, shape, own, allocate(shown(weight, 100), codes.length));
      },
    });
  }
  return weights;
}
