import type { Range } from '../../../core/scenario/scenario';
import { modelPositions, type Positions } from '../../../core/shards/cut';
import type { ModelShape } from '../../../core/shapes';
import type { LayerWeights, LoadedModel } from '../../read/model/load';
import type { Oracle } from './oracle';
import { throwIfCancelled } from '../runtime/clock';
import { headTensor, type HeadTensor, type LayerTensors, readRows, writeRows } from './layer';

/** Rows `[from, to)` of the residual stream in one token-wise dispatch. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  /** Positions of the rows, one range after the other, for the rotary embedding. */
  readonly positions: readonly Range[];
}

/** The inputs of a layer's token-wise calls. */
export interface TokenwisePass {
  readonly model: LoadedModel;
  readonly oracle: Pick<Oracle, 'project' | 'outputAndMlp'>;
  readonly signal: AbortSignal;
}

/**
 * Rows `[first, end)`, a sequence that begins at a place of a prompt, 0 by default, cut into stretches of at most `rows`.
 *
 * @param restarts where the model's positions begin again in the prompt
 */
export function* stretches(first: number, end: number, rows: number, place = 0, restarts: readonly number[] = [0]): Generator<Stretch> {
  for (let from = first; from < end; from += rows) {
    const to = Math.min(end, from + rows);
    yield { from, to, positions: modelPositions({ restarts }, { from: place + from - first, to: place + to - first }) };
  }
}

/**
 * Rows of a run, cut into stretches of at most `rows` that follow one another in the prompt.
 *
 * @param part the rows, which are counted from the first of them
 */
export function* stretchesAt({ ranges, restarts }: Omit<Positions, 'tokens'>, rows: number, part: Range): Generator<Stretch> {
  let first = 0;
  for (const { from, to } of ranges) {
    const [start, end] = [Math.max(first, part.from), Math.min(first + to - from, part.to)];
    yield* stretches(start - part.from, end - part.from, rows, from + start - first, restarts);
    first += to - from;
  }
}

/** Empty tensors for the queries, keys and values of a layer. @param keys as many as queries by default */
export function layerTensors({ heads, keyValueHeads, headWidth, scoreCap }: ModelShape, queries: number, keys = queries): LayerTensors {
  const query = headTensor(heads, queries, headWidth);
  const [key, value] = [0, 1].map(() => headTensor(keyValueHeads, keys, headWidth));
  return { query, key, value, ...(scoreCap !== undefined && { scoreCap }) };
}

/**
 * Projects the residual stream `[N, d]`, stretch by stretch.
 *
 * @param into tensors to overwrite: reusing an earlier layer's needs no new memory
 * @param first rows of those that the first projected row becomes
 * @throws CancelledError between two calls
 */
export async function project(
  { model, oracle, signal }: TokenwisePass,
  hidden: Float32Array,
  weights: LayerWeights,
  cut: Iterable<Stretch>,
  into: LayerTensors = layerTensors(model.shape, hidden.length / model.shape.width),
  first: { readonly query: number; readonly key: number } = { query: 0, key: 0 },
): Promise<LayerTensors> {
  const { width } = model.shape;
  const { query, key, value } = into;
  for (const { from, to, positions } of cut) {
    throwIfCancelled(signal);
    const part = await oracle.project(hidden.subarray(from * width, to * width), weights, positions);
    writeRows(query, first.query + from, part.query);
    writeRows(key, first.key + from, part.key);
    writeRows(value, first.key + from, part.value);
  }
  const { sinks } = weights.attend;
  return sinks === undefined ? into : { ...into, sinks: sinks.data };
}

/** Replaces the residual stream, stretch by stretch: rows are independent. @throws CancelledError between two calls */
export async function outputAndMlp(
  { model, oracle, signal }: TokenwisePass,
  hidden: Float32Array,
  out: HeadTensor,
  weights: LayerWeights,
  cut: Iterable<Stretch>,
): Promise<void> {
  const { width } = model.shape;
  for (const { from, to } of cut) {
    throwIfCancelled(signal);
    const rows = hidden.subarray(from * width, to * width);
    rows.set(await oracle.outputAndMlp(rows, readRows(out, from, to), weights));
  }
}
