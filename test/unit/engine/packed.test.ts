import { describe, expect, it } from 'vitest';
import { uniform } from '../../../src/core/math/random';
import { codedOperands, linearInto, weightValues } from '../../../src/engine/attend/graphs/linear';
import { GraphBuilder } from '../../../src/engine/attend/onnx/graph-builder';
import { openDevice } from '../../../src/engine/attend/runtime/provider';
import { GraphSession } from '../../../src/engine/attend/runtime/session';
import { decode } from '../../../src/engine/read/model/gguf/decode';
import { PackedReader, staysPacked } from '../../../src/engine/read/model/gguf/packed-blocks';
import { blockOf, typeName } from '../../../src/engine/read/model/gguf/types';
import { pickRows } from '../../../src/engine/read/model/packed';
import { PackedWeight, rowOf } from '../../../src/engine/read/model/weights';

/** Types that stay packed, as `ggml_type` numbers them. */
const types = [2, 3, 6, 7, 8, 12, 13, 14].map((type) => [typeName(type), type] as const);

const [rows, columns] = [6, 512];

/** Random blocks, in which the half-precision numbers at some bytes have an ordinary size. */
function blocksOf(type: number): Uint8Array {
  const next = uniform(type);
  const { elements, bytes } = blockOf(type);
  const halves: Readonly<Record<number, readonly number[]>> = { 3: [0, 2], 7: [0, 2], 12: [0, 2], 13: [0, 2], 14: [208] };
  const blocks = Uint8Array.from({ length: ((rows * columns) / elements) * bytes }, () => Math.floor(256 * next()));
  for (let at = 0; at < blocks.length; at += bytes) {
    for (const place of halves[type] ?? [0]) {
      blocks[at + place + 1] = (blocks[at + place + 1] & 0x83) | 0x24;
    }
  }
  return blocks;
}

function packedOf(type: number): { readonly weight: PackedWeight; readonly values: Float32Array } {
  const blocks = blocksOf(type);
  const values = new Float32Array(rows * columns);
  decode(type, blocks, values);
  const reader = new PackedReader(type, [rows, columns]);
  // In two pieces, as large tensors come.
  const half = ((columns * rows) / 2 / blockOf(type).elements) * blockOf(type).bytes;
  reader.take(blocks.subarray(0, half));
  reader.take(blocks.subarray(half));
  return { weight: new PackedWeight(reader.matrix), values };
}

describe('a matrix that stays integer codes', () => {
  it.each(types)('has the values of %s, bit for bit, and those of any rows', (_name, type) => {
    const { weight, values } = packedOf(type);
    expect(weight.data).toEqual(values);
    expect(rowOf(weight, 3)).toEqual(values.subarray(3 * columns, 4 * columns));
    const picked = new PackedWeight(pickRows(weight.packed, [5, 0, 5]));
    expect(picked.shape).toEqual([3, columns]);
    expect(picked.data.subarray(columns, 2 * columns)).toEqual(values.subarray(0, columns));
    expect(picked.data.subarray(2 * columns)).toEqual(values.subarray(5 * columns));
  });

  it('is of whole blocks only', () => {
    expect(staysPacked(12, [4, 512])).toBe(true);
    expect(staysPacked(12, [4, 320])).toBe(false);
    expect(staysPacked(2, [4, 4, 320])).toBe(false);
    expect(staysPacked(0, [4, 512])).toBe(false);
  });

  // A scale has one rounding of 1/254 at most for each of 32 activations, whose signs differ.
  describe.each([
    [1, 'float32', rows, 4e-6],
    [5, 'float32', rows, 4e-6],
    [5, 'float32', 4, 4e-6],
    [1, 'float32', 4, 4e-6],
    [1, 'int8', rows, 2e-3],
    [5, 'int8', rows, 2e-3],
    [5, 'float32 as inputs', rows, 4e-6],
  ] as const)('times %i rows in %s, %i rows of it at a time', (count, activations, atOnce, tolerance) => {
    it.each(types)('of %s is their product', async (_name, type) => {
      const { weight, values } = packedOf(type);
      const g = new GraphBuilder('product');
      const bias = { shape: [rows], data: Float32Array.from({ length: rows }, (_, row) => row) };
      const unpackedAtOnce = 4 * columns * atOnce;
      const weights = { queryWeight: weight, queryBias: bias };
      const asInputs = activations === 'float32 as inputs';
      const given = asInputs ? { inCodes: weights } : { constants: weights, activations, oneRow: count === 1, unpackedAtOnce };
      const { queryWeight, queryBias } = weightValues<'queryWeight' | 'queryBias'>(g, given);
      const x = g.input('x', ['rows', columns]);
      g.output('y', linearInto(g, x, queryWeight as never, queryBias), ['rows', rows]);
      // One matrix may multiply twice, as the head does where two runs are compared.
      g.output('again', linearInto(g, x, queryWeight as never), ['rows', rows]);
      const session = await GraphSession.create(g.buildApart(), await openDevice('cpu', 1));
      const next = uniform(7);
      const data = Float32Array.from({ length: count * columns }, () => next() - 0.3);
      const { y, again } = await session.run<'y' | 'again'>({
        x: { data, shape: [count, columns] },
        ...(asInputs && codedOperands(weights)),
      });
      await session.release();
      let worst = 0;
      for (let row = 0; row < count; row += 1) {
        for (let out = 0; out < rows; out += 1) {
          let [sum, size] = [out, out];
          for (let column = 0; column < columns; column += 1) {
            const product = data[row * columns + column] * values[out * columns + column];
            sum += product;
            size += Math.abs(product);
          }
          worst = Math.max(worst, Math.abs(y[row * rows + out] - sum) / size, Math.abs(again[row * rows + out] + out - sum) / size);
        }
      }
      expect(worst).toBeLessThan(tolerance);
      // What was not rounded would have run by another kernel than is asked for.
      expect(worst > 4e-6).toBe(activations === 'int8');
    });
  });
});
