import { type Columns, sliceColumns, type BlackBoxShape, type Reading, type SliceColumns } from '../../src/core/construct/slice';
import type { BlackBoxOutput, SliceTensors } from '../../src/engine/attend/black-box/black-box';
import { partWidths, sliceParts } from '../../src/engine/attend/graphs/small-transformer';
import { denseAttention } from './dense-attention';

type Matrix = number[][];

/**
 * The small transformer in float64, from its definition: tokens as wide as all slices, residual attention layers with the 0/1 weights of
 * lemma 3.3, an MLP before the first and one after the last. Shares no code with the graph but the columns' places.
 */
export function transformInFloat64(
  shape: BlackBoxShape,
  reading: Reading,
  causal: boolean,
  tokens: SliceTensors,
  calls: number,
): { readonly [Part in keyof BlackBoxOutput]-?: number[] } {
  const { rows, layers, heads, headWidth } = shape;
  const slices = layers * heads;
  const found: { mean: number[]; logNormaliser: number[] } = { mean: [], logNormaliser: [] };
  for (let call = 0; call < calls; call += 1) {
    const stream = oneCall(shape, reading, causal, tokens, call);
    const { width, score } = sliceColumns(shape, reading);
    for (let slice = 0; slice < slices; slice += 1) {
      for (let row = 0; row < rows; row += 1) {
        const read = readSlice(stream[row].slice(slice * width, (slice + 1) * width), score.from, reading);
        found.mean.push(...read.slice(0, reading === 'normaliser' ? 0 : headWidth));
        found.logNormaliser.push(...read.slice(reading === 'normaliser' ? 0 : headWidth));
      }
    }
  }
  return found;
}

/** Tokens of `calls` calls, part by part, every number by `next`. */
export function sliceTensors({ rows, layers, heads, ...slice }: BlackBoxShape, calls: number, next: () => number): SliceTensors {
  const widths = partWidths({ rows, layers, heads, ...slice });
  return Object.fromEntries(
    sliceParts.map((part) => [part, Float32Array.from({ length: calls * layers * heads * rows * widths[part] }, next)]),
  ) as SliceTensors;
}

/** The residual stream `[M, W]` of one call after its last layer. */
function oneCall(shape: BlackBoxShape, reading: Reading, causal: boolean, tokens: SliceTensors, call: number): Matrix {
  const { rows, layers, heads } = shape;
  const slices = layers * heads;
  const widths = partWidths(shape);
  const columns = sliceColumns(shape, reading);
  let stream: Matrix = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: slices }, (_unused, slice) => {
      const at = (call * slices + slice) * rows + row;
      const given = sliceParts.flatMap((part) => [...tokens[part].subarray(at * widths[part], (at + 1) * widths[part])]);
      const of = ({ from, width }: Columns): number[] => given.slice(from, from + width);
      return [...given, firstScore(of(columns.query), of(columns.reference), reading), ...zeros(columns.result)];
    }).flat(),
  );
  for (let layer = 0; layer < layers; layer += 1) {
    const added: Matrix = stream.map((row) => row.map(() => 0));
    for (let head = 0; head < heads; head += 1) {
      const base = (layer * heads + head) * columns.width;
      const project = (sources: readonly Columns[]): Matrix => multiply(stream, selection(stream[0].length, base, sources));
      const { query, key, value } = selected(columns, reading);
      const { out } = denseAttention(project(query), project(key), project(value), (q, k) => !causal || k <= q);
      out.forEach((row, index) => row.forEach((entry, column) => (added[index][base + columns.result.from + column] += entry)));
    }
    stream = stream.map((row, index) => row.map((entry, column) => entry + added[index][column]));
  }
  return stream;
}

function zeros({ width }: Columns): number[] {
  return Array.from({ length: width }, () => 0);
}

/** The columns that a head's queries, keys and values are. */
function selected(
  { query, score, one, querySeparation, key, synthetic, padding, keySeparation, value, real }: SliceColumns,
  reading: Reading,
): Readonly<Record<'query' | 'key' | 'value', readonly Columns[]>> {
  return {
    query: [query, score, one, querySeparation],
    key: [key, synthetic, padding, keySeparation],
    value: { state: [value, real, synthetic], normaliser: [real], 'mean-value': [value], 'mean-key': [key] }[reading],
  };
}

/** `[W, outputs]`, 0 and 1: a row vector times it gives the source columns of the slice at `base`, one after another. */
function selection(width: number, base: number, sources: readonly Columns[]): Matrix {
  const wanted = sources.flatMap((source) => Array.from({ length: source.width }, (_, column) => base + source.from + column));
  return Array.from({ length: width }, (_, column) => wanted.map((source) => (source === column ? 1 : 0)));
}

/** c: at most 70 above the score of the reference, and at most what a key of its length could score. */
function firstScore(query: readonly number[], reference: readonly number[], reading: Reading): number {
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, index) => sum + x * b[index], 0);
  const score = dot(query, reference);
  return reading === 'state' ? Math.min(score + 70, Math.sqrt(dot(query, query) * dot(reference, reference))) : score;
}

/** What the last MLP makes of a slice. */
function readSlice(slice: readonly number[], scoreAt: number, reading: Reading): number[] {
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

function multiply(a: Matrix, b: Matrix): Matrix {
  return a.map((row) => b[0].map((_, column) => row.reduce((sum, x, i) => sum + x * b[i][column], 0)));
}
