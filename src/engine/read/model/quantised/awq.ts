import * as z from 'zod';
import { shown } from '../../../../core/text/printable';
import { allocate } from '../weights';
import { groupSize, moduleNames } from './fields';
import { groupsIn, wordsOf } from './packed-bits';
import { floatTypes, modulesWith, partShape, type PackedWeight, type PackedWeights, type StoredTensors } from './stored-tensors';

/** What `quantization_config` says. */
export const awqFields = z.strictObject({
  quant_method: z.literal('awq'),
  bits: z.literal(4),
  group_size: groupSize,
  version: z
    .string()
    .refine((version) => version.toLowerCase() === 'gemm')
    .optional(),
  zero_point: z.literal(true).optional(),
  // Which modules are quantised: the tensors say.
  modules_to_not_convert: moduleNames,
  ignore: moduleNames,
  // How others run them.
  ...Object.fromEntries(
    ['backend', 'do_fuse', 'fuse_max_seq_len', 'modules_to_fuse', 'exllama_config'].map((key) => [key, z.unknown().optional()]),
  ),
});

export type AwqFields = z.infer<typeof awqFields>;

/** Codes of 4 bits in a word. */
const codesOfWord = 8;
/** Which output of eight each code of a word is of, from the lowest bits on. */
const outputOrder = [0, 2, 4, 6, 1, 3, 5, 7] as const;

/**
 * The values of weights in AWQ's layout `gemm`, transposed into `[outputs, inputs]`: `scale * (code - zero)`.
 *
 * A word of `codes` (`[inputs, outputs / 8]`) has the codes of one input for eight outputs in the order 0, 2, 4, 6, 1, 3, 5, 7;
 * one of `zeros` (`[groups, outputs / 8]`) likewise; `scales` is `[groups, outputs]`. Source: `WQLinear_GEMM.from_linear` of
 * AutoAWQ.
 */
export function dequantiseAwq(
  codes: Uint32Array,
  zeros: Uint32Array,
  scales: Float32Array,
  { inputs, outputs, groups }: { readonly inputs: number; readonly outputs: number; readonly groups: number },
  target: Float32Array,
): Float32Array {
  const wordsOfRow = outputs / codesOfWord;
  const size = inputs / groups;
  // Words outside, so that what is written lies together.
  for (let word = 0; word < wordsOfRow; word += 1) {
    for (let input = 0; input < inputs; input += 1) {
      const group = Math.floor(input / size);
      const [eight, eightZeros] = [codes[input * wordsOfRow + word], zeros[group * wordsOfRow + word]];
      for (let place = 0; place < codesOfWord; place += 1) {
        const output = word * codesOfWord + outputOrder[place];
        const difference = ((eight >>> (4 * place)) & 15) - ((eightZeros >>> (4 * place)) & 15);
        target[output * inputs + input] = scales[group * outputs + output] * difference;
      }
    }
  }
  return target;
}

/**
 * Weights in AWQ: `qweight`, `qzeros` and `scales`.
 *
 * @throws InputError if a part is missing, or of another type or shape
 */
export function awqWeights(files: StoredTensors, { group_size: size }: AwqFields): PackedWeights {
  const format = 'AWQ 4-bit';
  const weights = new Map<string, PackedWeight>();
  for (const module of modulesWith(files, '.qweight')) {
    const parts = ['qweight', 'qzeros', 'scales'].map((part) => `${module}.${part}`);
    const [codes, zeros, scales] = parts;
    const [inputs, wordsOfRow] = partShape(files, codes, format, ['I32', 'U32'], [undefined, undefined]);
    const outputs = wordsOfRow * codesOfWord;
    const groups = groupsIn(inputs, size, codes);
    partShape(files, zeros, format, ['I32', 'U32'], [groups, wordsOfRow]);
    partShape(files, scales, format, floatTypes, [groups, outputs]);
    const name = `${module}.weight`;
    weights.set(name, {
      parts,
      shape: [outputs, inputs],
      read() {
        const [words, zeroWords] = [wordsOf(files.readBytes(codes)), wordsOf(files.readBytes(zeros))];
        const { data } = files.read(scales);
        return dequantiseAwq(words, zeroWords, data, { inputs, outputs, groups }, allocate(shown(name, 100), inputs * outputs));
      },
    });
  }
  return weights;
}
