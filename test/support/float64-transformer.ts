import { sliceColumns, type BlackBoxShape, type Reading } from '../../src/core/construct/slice';
import type { Operand } from '../../src/engine/attend/runtime/session';
import { denseAttention } from './dense-attention';

type Matrix = number[][];

/**
 * The small transformer in float64, from its definition: residual attention layers with the weights it is given, an MLP
 * before the first and one after the last. Shares no code with the graph but the columns' places.
 */
export function transformInFloat64(
  shape: BlackBoxShape,
  reading: Reading,
  causal: boolean,
  weights: Readonly<Record<string, Operand>>,
  tokens: Float32Array,
  calls: number,
): number[] {
  const size = transformInFloat64.inputSize(shape, reading);
  return Array.from({ length: calls }, (_, call) =>
    oneCall(shape, reading, causal, weights, tokens.subarray(call * size, (call + 1) * size)),
  ).flat();
}

/** Floats that one call reads. */
transformInFloat64.inputSize = ({ rows, layers, heads, ...slice }: BlackBoxShape, reading: Reading): number =>
  rows * layers * heads * sliceColumns(slice, reading).inputWidth;

function oneCall(
  shape: BlackBoxShape,
  reading: Reading,
  causal: boolean,
  weights: Readonly<Record<string, Operand>>,
  tokens: Float32Array,
): number[] {
  const { rows, layers, heads } = shape;
  const slices = layers * heads;
  const c = sliceColumns(shape, reading);
  let stream: Matrix = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: slices }, (_unused, slice) => {
      const given = [...tokens.subarray((row * slices + slice) * c.inputWidth, (row * slices + slice + 1) * c.inputWidth)];
      const at = (from: number, width: number): number[] => given.slice(from, from + width);
      const reference = at(c.reference.from, c.reference.width);
      const score = at(c.query.from, c.query.width).reduce((sum, x, i) => sum + x * reference[i], 0);
      return [...given, score, ...Array.from({ length: c.result.width }, () => 0)];
    }).flat(),
  );
  for (let layer = 0; layer < layers; layer += 1) {
    const joined: Matrix = stream.map(() => []);
    for (let head = 0; head < heads; head += 1) {
      const project = (name: string): Matrix => multiply(stream, matrixOf(weights[`${name}.${layer}`], head));
      const { out } = denseAttention(project('query'), project('key'), project('value'), (q, k) => !causal || k <= q);
      out.forEach((row, index) => joined[index].push(...row));
    }
    const added = multiply(joined, matrixOf(weights[`output.${layer}`], 0));
    stream = stream.map((row, index) => row.map((entry, column) => entry + added[index][column]));
  }
  return stream.flatMap((row) =>
    Array.from({ length: slices }, (_, slice) => read(row.slice(slice * c.width, (slice + 1) * c.width), c.score.from, reading)).flat(),
  );
}

/** What the last MLP makes of a slice. */
function read(slice: readonly number[], scoreAt: number, reading: Reading): number[] {
  const result = slice.slice(scoreAt + 1);
  switch (reading) {
    case 'state': {
      const [real, synthetic] = result.slice(-2);
      return [...result.slice(0, -2).map((x) => x / real), slice[scoreAt] + Math.log(real / synthetic)];
    }
    case 'normaliser':
      return [slice[scoreAt] + Math.log(result[0] / (1 - result[0]))];
    default:
      return result;
  }
}

function matrixOf({ data, shape }: Operand, head: number): Matrix {
  const [rows, columns] = shape.slice(-2);
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_unused, column) => Number(data[(head * rows + row) * columns + column])),
  );
}

function multiply(a: Matrix, b: Matrix): Matrix {
  return a.map((row) => b[0].map((_, column) => row.reduce((sum, x, i) => sum + x * b[i][column], 0)));
}
