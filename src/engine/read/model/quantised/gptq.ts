import * as z from 'zod';
import { InputError } from '../../../../core/errors';
import { shown } from '../../../../core/text/printable';
import { allocate } from '../weights';
import { groupSize, moduleNames } from './fields';
import { codeAt, codesIn, groupsIn, wordsOf } from './packed-bits';
import { floatTypes, modulesWith, partShape, type PackedWeight, type PackedWeights, type StoredTensors } from './stored-tensors';

/** What `quantization_config` says. Zero points, groups and the order of inputs stand in the tensors as well, and count there. */
export const gptqFields = z.strictObject({
  quant_method: z.literal('gptq'),
  bits: z.literal([2, 3, 4, 8]),
  group_size: groupSize,
  checkpoint_format: z.literal(['gptq', 'gptq_v2']).optional(),
  format: z.literal(['gptq', 'gptq_v2']).optional(),
  pack_dtype: z.literal('int32').optional(),
  is_marlin_format: z.literal(false).optional(),
  sym: z.boolean().optional(),
  desc_act: z.boolean().optional(),
  /** Bits and groups of some modules apart: none. */
  dynamic: z.strictObject({}).optional(),
  // Which modules are quantised: the tensors say.
  modules_in_block_to_quantize: z.array(z.union([z.string(), z.array(z.string())])).optional(),
  modules_to_not_convert: moduleNames,
  lm_head: z.boolean().optional(),
  block_name_to_quantize: z.string().optional(),
  module_name_preceding_first_block: z.array(z.string()).optional(),
  // How they were quantised, by what, and how they are run elsewhere.
  ...Object.fromEntries(
    [
      ...['damp_percent', 'damp_auto_increment', 'static_groups', 'true_sequential', 'mse', 'dataset', 'tokenizer', 'batch_size', 'meta'],
      ...['model_seqlen', 'model_name_or_path', 'model_file_base_name', 'pad_token_id', 'cache_block_outputs', 'quantizer', 'version'],
      ...['hyb_act', 'v2', 'v2_alpha', 'gptaq', 'pack_impl', 'parallel_packing', 'device', 'offload_to_disk', 'offload_to_disk_path'],
      ...['use_exllama', 'disable_exllama', 'exllama_config', 'use_cuda_fp16', 'max_input_length', 'backend', 'act_group_aware'],
    ].map((key) => [key, z.unknown().optional()]),
  ),
});

export type GptqFields = z.infer<typeof gptqFields>;

/** How the codes of a weight lie. */
interface GptqLayout {
  readonly inputs: number;
  readonly outputs: number;
  readonly groups: number;
  readonly bits: number;
  /** Whether zero points are stored less one: the first form of the format. */
  readonly lessOne: boolean;
}

/** Words of which each code is 1. */
const ones: Readonly<Record<number, number>> = { 2: 0x55555555, 4: 0x11111111, 8: 0x01010101 };

/**
 * The values of weights in GPTQ, transposed into `[outputs, inputs]`: `scale * (code - zero)`.
 *
 * Codes of an output follow one another down a column of `codes` (`[inputs * bits / 32, outputs]` words), and zero points along
 * a row of `zeros` (`[groups, outputs * bits / 32]`), from the lowest bit on; `scales` is `[groups, outputs]`. In the format's
 * first form zero points are stored less one: whole words less a word of ones, so that one of 0 borrows from the next, and adding
 * the word gives all of them back; of 3 bits each by itself. Source: `pack` and `forward` of AutoGPTQ's `QuantLinear`, and
 * `convert_gptq_v2_to_v1_format_module` of GPTQModel.
 *
 * @param groupOf the group of each input
 */
export function dequantiseGptq(
  codes: Uint32Array,
  zeros: Uint32Array,
  scales: Float32Array,
  groupOf: Int32Array,
  { inputs, outputs, groups, bits, lessOne }: GptqLayout,
  target: Float32Array,
): Float32Array {
  const mask = (1 << bits) - 1;
  const zerosOfRow = (outputs * bits) / 32;
  // Sums of a typed array are taken modulo 2^32.
  const words = lessOne && bits !== 3 ? zeros.map((word) => word + ones[bits]) : zeros;
  const offset = lessOne && bits === 3 ? 1 : 0;
  const zeroOf = new Uint8Array(groups);
  for (let output = 0; output < outputs; output += 1) {
    for (let group = 0; group < groups; group += 1) {
      zeroOf[group] = (codeAt(words, group * zerosOfRow, 1, output, bits) + offset) & mask;
    }
    for (let input = 0; input < inputs; input += 1) {
      const group = groupOf[input];
      const code = codeAt(codes, output, outputs, input, bits);
      target[output * inputs + input] = scales[group * outputs + output] * (code - zeroOf[group]);
    }
  }
  return target;
}

/**
 * Weights in GPTQ: `qweight`, `qzeros` and `scales`, and with `g_idx` the group of each input, whose order `desc_act` makes.
 * AutoGPTQ writes a `bias` beside each, of zeros where the model has none.
 *
 * @throws InputError if a part is missing, or of another type or shape
 */
export function gptqWeights(files: StoredTensors, { bits, group_size: size, ...fields }: GptqFields): PackedWeights {
  const format = `GPTQ ${bits}-bit`;
  const form = fields.checkpoint_format ?? fields.format ?? 'gptq';
  const weights = new Map<string, PackedWeight>();
  for (const module of modulesWith(files, '.qweight')) {
    const [codes, zeros, scales, order, bias] = ['qweight', 'qzeros', 'scales', 'g_idx', 'bias'].map((part) => `${module}.${part}`);
    const [wordsOfColumn, outputs] = partShape(files, codes, format, ['I32', 'U32'], [undefined, undefined]);
    const inputs = codesIn(wordsOfColumn, bits, codes);
    const groups = groupsIn(inputs, size, codes);
    const [, zerosOfRow] = partShape(files, zeros, format, ['I32', 'U32'], [groups, undefined]);
    if (codesIn(zerosOfRow, bits, zeros) !== outputs) {
      throw new InputError(`${shown(zeros, 100)} has no zero point for each of ${outputs} outputs; download the model again.`);
    }
    partShape(files, scales, format, floatTypes, [groups, outputs]);
    const ordered = files.storedOf(order) !== undefined;
    if (ordered) {
      partShape(files, order, format, ['I32'], [inputs]);
    }
    const biased = files.storedOf(bias) !== undefined;
    if (biased) {
      partShape(files, bias, format, floatTypes, [outputs]);
    }
    const name = `${module}.weight`;
    weights.set(name, {
      parts: [codes, zeros, scales, ...(ordered ? [order] : [])],
      shape: [outputs, inputs],
      ...(biased && { paddedBias: bias }),
      read() {
        const groupOf = ordered
          ? groupsOf(files.readBytes(order), groups, order)
          : Int32Array.from({ length: inputs }, (_, input) => Math.floor((input * groups) / inputs));
        const [words, zeroWords] = [wordsOf(files.readBytes(codes)), wordsOf(files.readBytes(zeros))];
        const { data } = files.read(scales);
        const layout: GptqLayout = { inputs, outputs, groups, bits, lessOne: form === 'gptq' };
        return dequantiseGptq(words, zeroWords, data, groupOf, layout, allocate(shown(name, 100), inputs * outputs));
      },
    });
  }
  return weights;
}

/** The group of each input. @throws InputError if there is no such group */
function groupsOf(bytes: Uint8Array, groups: number, tensor: string): Int32Array {
  const groupOf = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const wrong = groupOf.findIndex((group) => group < 0 || group >= groups);
  if (wrong >= 0) {
    throw new InputError(
      `${shown(tensor, 100)} puts input ${wrong} in group ${groupOf[wrong]} and there are ${groups} groups; download the model again.`,
    );
  }
  return groupOf;
}
