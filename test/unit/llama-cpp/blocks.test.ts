import { beforeAll, describe, expect, it } from 'vitest';
import { normal, uniform } from '../../../src/core/math/random';
import { decode, isRead, readTypes } from '../../../src/engine/read/model/gguf/decode';
import { blockOf, typeName } from '../../../src/engine/read/model/gguf/types';
import { llamaFolder } from '../../support/llama-cpp/compare';
import { Ggml } from '../../support/llama-cpp/ggml';
import { ggmlRefusal } from '../../support/llama-cpp/install';

const seed = 20_261_129;

/** Half-precision numbers that scales seldom are: zeros, subnormal, the largest, infinite, not a number. */
const extremeHalves = [0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x0400, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7e00, 0xfe01];

/** Where blocks have half-precision numbers. */
const halves: Readonly<Record<string, readonly number[]>> = {
  ...{ Q8_0: [0], Q4_0: [0], Q4_1: [0, 2], Q5_0: [0], Q5_1: [0, 2], IQ4_NL: [0], IQ4_XS: [0], F16: [0] },
  ...{ Q2_K: [80, 82], Q3_K: [108], Q4_K: [0, 2], Q5_K: [0, 2], Q6_K: [208] },
};

/** Bit patterns, with one for all that are not numbers. */
function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(Float32Array.from(values, (value) => (Number.isNaN(value) ? NaN : value)).buffer);
}

function decoded(type: number, blocks: Uint8Array): Float32Array {
  const { elements, bytes } = blockOf(type);
  const values = new Float32Array((blocks.length / bytes) * elements);
  decode(type, blocks, values);
  return values;
}

describe.skipIf(ggmlRefusal !== undefined)('blocks against llama.cpp', () => {
  let ggml: Ggml | undefined;
  let missing: string | undefined;

  beforeAll(async () => {
    ggml = await Ggml.open(llamaFolder).catch((error: unknown) => {
      missing = String(error);
      return undefined;
    });
  });

  it('has a case for every type that is read but F32, which is none of its functions', () => {
    expect([...Ggml.types.map(typeName), 'F32'].sort()).toEqual([...readTypes].sort());
    expect(Ggml.types.every(isRead)).toBe(true);
  });

  it.for(Ggml.types.map((type) => [typeName(type), type] as const))('gives the bits of %s', ([name, type], { skip }) => {
    skip(ggml === undefined, missing);
    const { elements, bytes } = blockOf(type);
    const count = name === 'F16' || name === 'BF16' ? 65_536 : 4096;
    const random = uniform(seed + type);
    const blocks = Uint8Array.from({ length: count * bytes }, () => Math.floor(256 * random()));
    const view = new DataView(blocks.buffer);
    for (let block = 0; block < count; block += 1) {
      // Of numbers of two bytes, every one there is; of blocks, a half with extreme scales.
      if (count === 65_536) {
        view.setUint16(2 * block, block, true);
      } else if (block % 2 === 0) {
        for (const at of halves[name] ?? []) {
          view.setUint16(block * bytes + at, extremeHalves[Math.floor(random() * extremeHalves.length)], true);
        }
      }
    }
    const expected = ggml?.dequantise(type, blocks, count * elements) ?? new Float32Array();
    expect(Buffer.compare(Buffer.from(bitsOf(decoded(type, blocks)).buffer), Buffer.from(bitsOf(expected).buffer))).toBe(0);
  });

  it.for([2, 3, 6, 7, 8, 10, 11, 12, 13, 14, 20, 23, 39].map((type) => [typeName(type), type] as const))(
    'gives the bits of what its quantiser makes of %s, near the numbers that it was given',
    ([, type], { skip }) => {
      skip(ggml === undefined, missing);
      const next = normal(seed + type);
      const numbers = Float32Array.from({ length: 16_384 }, next);
      const blocks = ggml?.quantise(type, numbers, 256) ?? new Uint8Array();
      const values = decoded(type, blocks);
      const expected = ggml?.dequantise(type, blocks, numbers.length) ?? new Float32Array();
      expect(values).toHaveLength(numbers.length);
      expect(Buffer.compare(Buffer.from(bitsOf(values).buffer), Buffer.from(bitsOf(expected).buffer))).toBe(0);
      const error = numbers.reduce((sum, number, at) => sum + (number - values[at]) ** 2, 0) / numbers.length;
      expect(Math.sqrt(error)).toBeLessThan(0.35);
    },
  );
});
