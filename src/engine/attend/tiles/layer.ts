import type { TileChoice } from '../../../core/chosen/choice';
import { keyValueHeadOf } from '../../../core/shapes';
import type { HeadTensors } from '../../../core/math/reference-attention';
import type { LayerStep } from '../../../core/plan/segments';
import type { MassScale } from './tile-masses';

/** One tensor per head over the whole sequence: `[heads, tokens, width]`, row-major, each head contiguous. */
export interface HeadTensor {
  readonly heads: number;
  readonly tokens: number;
  readonly width: number;
  readonly data: Float32Array;
}

/** A tensor of zeros. */
export function headTensor(heads: number, tokens: number, width: number): HeadTensor {
  return { heads, tokens, width, data: new Float32Array(heads * tokens * width) };
}

/** A view of one head: `[tokens, width]`. */
export function headView({ tokens, width, data }: HeadTensor, head: number): Float32Array {
  return data.subarray(head * tokens * width, (head + 1) * tokens * width);
}

/** A view of rows `[from, to)` of one head. */
export function rowsView(tensor: HeadTensor, head: number, from: number, to: number): Float32Array {
  const base = head * tensor.tokens;
  return tensor.data.subarray((base + from) * tensor.width, (base + to) * tensor.width);
}

/** Writes `part` `[heads, rows, width]` to rows `from...` of every head. */
export function writeRows(tensor: HeadTensor, from: number, part: Float32Array): void {
  const rows = part.length / (tensor.heads * tensor.width);
  for (let head = 0; head < tensor.heads; head += 1) {
    rowsView(tensor, head, from, from + rows).set(part.subarray(head * rows * tensor.width, (head + 1) * rows * tensor.width));
  }
}

/** Copies rows `[from, to)` of every head: `[heads, to - from, width]`. */
export function readRows(tensor: HeadTensor, from: number, to: number): Float32Array {
  const rows = to - from;
  const part = new Float32Array(tensor.heads * rows * tensor.width);
  for (let head = 0; head < tensor.heads; head += 1) {
    part.set(rowsView(tensor, head, from, to), head * rows * tensor.width);
  }
  return part;
}

/** Queries (scaled), keys and values of one layer. There may be fewer key-value heads than query heads. */
export interface LayerTensors {
  readonly query: HeadTensor;
  readonly key: HeadTensor;
  readonly value: HeadTensor;
  /** c, where scores s are bent to `c tanh(s / c)`. */
  readonly scoreCap?: number;
  /** Which layer of the model it is, 0-based, where that decides what is drawn at random; the first by default. */
  readonly layer?: number;
  /** The score `[H]` of each query head's learned sink, if the model has them: see `mergeSinks`. */
  readonly sinks?: Float32Array;
}

/** The key-value head of a query head: consecutive query heads share one. */
export function keyHeadOf({ query, key }: LayerTensors, head: number): number {
  return keyValueHeadOf({ heads: query.heads, keyValueHeads: key.heads }, head);
}

/** Views of one query head's tensors, with the keys and values of its key-value head. */
export function headTensors(layer: LayerTensors, head: number): HeadTensors {
  const keyHead = keyHeadOf(layer, head);
  return {
    width: layer.query.width,
    queries: headView(layer.query, head),
    keys: headView(layer.key, keyHead),
    values: headView(layer.value, keyHead),
    ...(layer.scoreCap !== undefined && { scoreCap: layer.scoreCap }),
    ...(layer.sinks && { sink: layer.sinks[head] }),
  };
}

/** Attention of one layer: `out` `[H, N, m]` and `logNormaliser` `[H, N]`, natural logarithm; N may be room for more rows than a step has. */
export interface AttendedLayer {
  readonly out: HeadTensor;
  readonly logNormaliser: Float64Array;
  /** Dependent rounds of calls: 1, and 2 more if synthetic tokens underflowed. */
  readonly rounds: number;
  /** The tiles that were read, where the run chose them. */
  readonly choice?: TileChoice;
}

/** Computes the attention of one layer after another by the calls of a plan; all layers share its buffers. */
export interface LayerAttention {
  /**
   * Attention of one layer. The next layer may overwrite the result.
   *
   * @param step whose rows the tensors have; all by default
   * @param heads the query heads that are attended, all by default; the rows of others are not those of this layer
   * @param scale whom to tell what each tile holds of the weights; only `fused` knows it, a black box tells nothing
   */
  run(layer: LayerTensors, step?: LayerStep, heads?: readonly number[], scale?: MassScale): Promise<AttendedLayer>;
}

/** The query heads of a layer. */
export function allHeads({ query }: LayerTensors): readonly number[] {
  return Array.from({ length: query.heads }, (_, head) => head);
}

/** Room for the attention of a layer: rows of `queries` queries. */
export function attendedRoom(heads: number, queries: number, width: number): AttendedLayer {
  return { out: headTensor(heads, queries, width), logNormaliser: new Float64Array(heads * queries), rounds: 1 };
}

/** Called after every batch with the number of single-head instances it finished; may throw to stop the run. */
export type OnInstances = (instances: number) => void;
