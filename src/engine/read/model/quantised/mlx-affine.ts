import * as z from 'zod';
import { InputError } from '../../../../core/errors';
import { shown } from '../../../../core/text/printable';
import { allocate } from '../weights';
import { codeAt, codesIn, groupsIn, wordsOf } from './packed-bits';
import { floatTypes, modulesWith, partShape, type PackedWeight, type PackedWeights, type StoredTensors } from './stored-tensors';

/** How the weights of one module are stored: codes of so many bits, in groups of so many. */
const precision = z.strictObject({
  group_size: z.number().int().positive().max(1_048_576),
  bits: z.literal([2, 3, 4, 5, 6, 8]),
  mode: z.literal('affine').optional(),
});

/** What `quantization` says: of all modules, and of some by their names; false is of those that are left as they are. */
export const mlxFields = precision.extend({ quant_method: z.literal('mlx').optional() }).catchall(z.union([precision, z.boolean()]));

export type MlxFields = z.infer<typeof mlxFields>;

/**
 * The values of weights in MLX's affine quantisation, `[rows, columns]`: `scale * code + bias`, rounded once.
 *
 * A row of `words` holds its codes from the lowest bit on; those of 3, 5 and 6 bits run on from one word to the next. Each group
 * of a row has a scale and a bias, `[rows, groups]`. Source: `mlx.core.quantize` and the kernels of `quantized.cpp`.
 *
 * @param bits of a code
 */
export function dequantiseMlx(
  words: Uint32Array,
  scales: Float32Array,
  biases: Float32Array,
  { bits, groups, columns }: { readonly bits: number; readonly groups: number; readonly columns: number },
  target: Float32Array,
): Float32Array {
  const size = columns / groups;
  const wordsOfRow = (columns * bits) / 32;
  for (let row = 0; row < target.length / columns; row += 1) {
    for (let group = 0; group < groups; group += 1) {
      const [scale, bias] = [scales[row * groups + group], biases[row * groups + group]];
      for (let column = group * size; column < (group + 1) * size; column += 1) {
        target[row * columns + column] = scale * codeAt(words, row * wordsOfRow, 1, column, bits) + bias;
      }
    }
  }
  return target;
}

/**
 * Weights that MLX has quantised: embeddings, heads and matrices, each `weight` with `scales` and `biases` beside it.
 *
 * @throws InputError if a part is missing, or of another type or shape, or a module that the configuration names is not there
 */
export function mlxWeights(files: StoredTensors, fields: MlxFields): PackedWeights {
  const { group_size: usualSize, bits: usualBits } = fields;
  const apart = new Map(Object.entries(fields).filter(([, own]) => typeof own === 'object' || typeof own === 'boolean')) as Map<
    string,
    z.infer<typeof precision> | boolean
  >;
  const weights = new Map<string, PackedWeight>();
  for (const module of modulesWith(files, '.scales')) {
    const parts = [`${module}.weight`, `${module}.scales`, `${module}.biases`] as const;
    const own = apart.get(module) ?? true;
    if (own === false) {
      throw new InputError(`${shown(module, 100)} is quantised, which config.json denies; download the model again.`);
    }
    const { group_size: size, bits } = own === true ? { group_size: usualSize, bits: usualBits } : own;
    const format = `MLX ${bits}-bit`;
    const [rows, wordsOfRow] = partShape(files, parts[0], format, ['U32'], [undefined, undefined]);
    const columns = codesIn(wordsOfRow, bits, parts[0]);
    const groups = groupsIn(columns, size, parts[0]);
    partShape(files, parts[1], format, floatTypes, [rows, groups]);
    partShape(files, parts[2], format, floatTypes, [rows, groups]);
    weights.set(parts[0], {
      parts,
      shape: [rows, columns],
      read() {
        const words = wordsOf(files.readBytes(parts[0]));
        const [scales, biases] = [files.read(parts[1]), files.read(parts[2])];
        const target = allocate(shown(parts[0], 100), rows * columns);
        return dequantiseMlx(words, scales.data, biases.data, { bits, groups, columns }, target);
      },
    });
  }
  const unused = [...apart].find(([module, own]) => typeof own === 'object' && !weights.has(`${module}.weight`));
  if (unused !== undefined) {
    throw new InputError(`config.json says how ${shown(unused[0], 100)} is quantised, and it is not; download the model again.`);
  }
  return weights;
}
