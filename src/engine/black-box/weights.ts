import {
  resultWidth,
  scoreWidth,
  sliceColumns,
  type BlackBoxShape,
  type Columns,
  type Reading,
  type SliceColumns,
} from '../../core/construct/slice';
import type { Operand } from '../attend/runtime/session';

/**
 * The weights that make a small transformer run H'L' instances side by side (lemma 3.3), as inputs of its graph.
 *
 * Head h of layer l reads and writes the slice of instance (h, l) alone, so all other slices pass layer l unchanged.
 * Every entry is 0 or 1: weights select columns, and selecting rounds nothing.
 */
export function instanceWeights(shape: BlackBoxShape, reading: Reading): Record<string, Operand> {
  const { layers, heads, headWidth } = shape;
  const columns = sliceColumns(shape, reading);
  const width = layers * heads * columns.width;
  const results = resultWidth(headWidth, reading);
  const selected: Readonly<Record<'query' | 'key' | 'value', readonly Columns[]>> = {
    query: [columns.query, columns.score, columns.one, columns.querySeparation],
    key: [columns.key, columns.synthetic, columns.padding, columns.keySeparation],
    value: valueColumns(columns, reading),
  };
  const weights: Record<string, Operand> = {};
  for (let layer = 0; layer < layers; layer += 1) {
    const firstSlice = layer * heads;
    for (const [name, sources] of Object.entries(selected)) {
      const outputs = name === 'value' ? results : scoreWidth(shape);
      const data = new Float32Array(heads * width * outputs);
      for (let head = 0; head < heads; head += 1) {
        select(data.subarray(head * width * outputs, (head + 1) * width * outputs), (firstSlice + head) * columns.width, sources, outputs);
      }
      weights[`${name}.${layer}`] = { data, shape: [heads, width, outputs] };
    }
    const output = new Float32Array(heads * results * width);
    for (let head = 0; head < heads; head += 1) {
      for (let result = 0; result < results; result += 1) {
        output[(head * results + result) * width + (firstSlice + head) * columns.width + columns.result.from + result] = 1;
      }
    }
    weights[`output.${layer}`] = { data: output, shape: [heads * results, width] };
  }
  return weights;
}

/** What a head averages under a reading. */
function valueColumns({ value, key, real, synthetic }: SliceColumns, reading: Reading): readonly Columns[] {
  switch (reading) {
    case 'state':
      return [value, real, synthetic];
    case 'normaliser':
      return [real];
    case 'mean-value':
      return [value];
    case 'mean-key':
      return [key];
  }
}

/** Fills `[W, outputs]` so that a row vector times it is the given columns of the slice at `base`, one after another. */
function select(matrix: Float32Array, base: number, sources: readonly Columns[], outputs: number): void {
  let output = 0;
  for (const { from, width } of sources) {
    for (let column = 0; column < width; column += 1) {
      matrix[(base + from + column) * outputs + output] = 1;
      output += 1;
    }
  }
}
