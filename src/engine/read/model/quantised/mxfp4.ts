import * as z from 'zod';
import { shown } from '../../../../core/text/printable';
import { allocate } from '../weights';
import { moduleNames } from './fields';
import { modulesWith, partShape, type PackedWeight, type PackedWeights, type StoredTensors } from './stored-tensors';

/** What `quantization_config` says of gpt-oss; `dequantize` is about how transformers runs it. */
export const mxfp4Fields = z.strictObject({
  quant_method: z.literal('mxfp4'),
  modules_to_not_convert: moduleNames,
  dequantize: z.boolean().optional(),
});

/** Weights in a block, which share a scale, and the bytes of their codes. */
const blockSize = 32;
const blockBytes = blockSize / 2;

/** The values of E2M1: a sign, two bits of exponent and one of fraction. */
const magnitudes = [0, 0.5, 1, 1.5, 2, 3, 4, 6];
const values = [...magnitudes, ...magnitudes.map((value) => -value)];

/**
 * The scale of E8M0: a power of two by its biased exponent; 255 is NaN.
 */
function scaleOf(exponent: number): number {
  return exponent === 255 ? NaN : 2 ** (exponent - 127);
}

/**
 * The values of weights in MXFP4, transposed: `[experts, 32 groups, rows]`.
 *
 * `blocks` is `[experts, rows, groups, 16]`, two codes of E2M1 a byte, the first in the lower half; `scales` is `[experts, rows,
 * groups]` in E8M0. Source: OCP Microscaling Formats 1.0, and `convert_moe_packed_tensors` of transformers.
 */
export function dequantiseMxfp4(
  blocks: Uint8Array,
  scales: Uint8Array,
  [experts, rows, groups]: readonly number[],
  target: Float32Array,
): Float32Array {
  for (let expert = 0; expert < experts; expert += 1) {
    // Groups outside, so that what is written lies together.
    for (let group = 0; group < groups; group += 1) {
      for (let row = 0; row < rows; row += 1) {
        const block = (expert * rows + row) * groups + group;
        const scale = scaleOf(scales[block]);
        const first = (expert * groups + group) * blockSize * rows + row;
        for (let byte = 0; byte < blockBytes; byte += 1) {
          const codes = blocks[block * blockBytes + byte];
          target[first + 2 * byte * rows] = values[codes & 15] * scale;
          target[first + (2 * byte + 1) * rows] = values[codes >> 4] * scale;
        }
      }
    }
  }
  return target;
}

/**
 * The weights of gpt-oss's experts: `gate_up_proj` is stored as `gate_up_proj_blocks` and `gate_up_proj_scales`, and so is
 * `down_proj`. In the plain checkpoint they are `[experts, in, out]`, as transformers has them.
 *
 * @throws InputError if a part is missing, or of another type or shape
 */
export function mxfp4Weights(files: StoredTensors): PackedWeights {
  const weights = new Map<string, PackedWeight>();
  for (const weight of modulesWith(files, '_blocks')) {
    const parts = [`${weight}_blocks`, `${weight}_scales`] as const;
    const stored = partShape(files, parts[0], 'MXFP4', ['U8'], [undefined, undefined, undefined, blockBytes]);
    const [experts, rows, groups] = stored;
    partShape(files, parts[1], 'MXFP4', ['U8'], [experts, rows, groups]);
    const shape = [experts, groups * blockSize, rows];
    weights.set(weight, {
      parts,
      shape,
      read() {
        const [blocks, scales] = [files.readBytes(parts[0]), files.readBytes(parts[1])];
        return dequantiseMxfp4(blocks, scales, stored, allocate(shown(weight, 100), 2 * blocks.length));
      },
    });
  }
  return weights;
}
