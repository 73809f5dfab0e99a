import { join } from 'node:path';
import { randomModel } from '../../src/engine/read/model/random-model';
import type { ModelShape } from '../../src/core/shapes';
import type { Tensor } from './llama-cpp/gguf-file';
import { writeGguf } from './llama-cpp/gguf';

/** A shape whose rows are whole blocks of 32. */
const shape: ModelShape = {
  layers: 2,
  heads: 2,
  keyValueHeads: 1,
  headWidth: 32,
  width: 64,
  feedForwardWidth: 96,
  feedForward: 'gated',
  vocabulary: 384,
};

/** The upper half of a float32 that a half-precision number of the same value has. */
function halfOf(scale: number): number {
  const bits = new Uint32Array(Float32Array.of(scale).buffer)[0];
  return ((bits >>> 13) & 0x3ff) | ((((bits >>> 23) & 0xff) - 112) << 10);
}

/** A matrix in blocks of Q8_0; all else stays float32. */
function inBlocks(tensor: Tensor): Tensor {
  if (tensor.shape.length < 2) {
    return tensor;
  }
  const bytes = new Uint8Array((tensor.data.length / 32) * 34);
  for (let block = 0; block < tensor.data.length / 32; block += 1) {
    const values = tensor.data.subarray(32 * block, 32 * block + 32);
    const scale = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0) / 127;
    bytes.set([halfOf(scale) & 255, halfOf(scale) >> 8], 34 * block);
    bytes.set(
      Array.from(values, (x) => Math.max(-127, Math.min(127, Math.round(x / scale)))),
      34 * block + 2,
    );
  }
  return { ...tensor, stored: { type: 8, bytes } };
}

/** Writes a Llama with random weights in Q8_0, whose tokens are bytes, and returns its path. */
export async function writeQ8Model(folder: string): Promise<string> {
  const path = join(folder, 'q8.gguf');
  await writeGguf(path, randomModel(shape, { seed: 3, scoreScale: 1, variety: 0.7 }), 256, inBlocks);
  return path;
}
