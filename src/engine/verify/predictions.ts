import type { LoadedModel } from '../read/model/load';
import type { OutputHead, PredictionComparison } from '../attend/verify/predictions';
import { throwIfCancelled } from '../run/cancel';

/** Memory that the logits of one slice may take: two distributions and their intermediates. */
const logitBytes = 96 * 1024 * 1024;

/** Arrays of a slice's rows by the vocabulary that live at once. */
const logitArrays = 6;

/** Rows whose logits fit in memory at once. */
export function logitRows(vocabulary: number): number {
  return Math.max(1, Math.floor(logitBytes / (4 * logitArrays * vocabulary)));
}

/** Rows of two residual streams, compared. */
export interface ComparedSlice {
  /** The first row. */
  readonly from: number;
  readonly rows: number;
  readonly compared: PredictionComparison;
}

/**
 * Compares the predictions of two residual streams `[rows, d]`, slice by slice: logits never exist for more than one.
 *
 * @param targets the token that follows each row, `[rows]`, where the model predicts the next one
 * @throws CancelledError between two slices
 */
export async function* comparePredictions(
  model: LoadedModel,
  head: OutputHead,
  hidden: Float32Array,
  baseline: Float32Array,
  targets: Int32Array | undefined,
  signal: AbortSignal,
): AsyncGenerator<ComparedSlice> {
  const { width, vocabulary } = model.shape;
  const total = targets?.length ?? hidden.length / width;
  const slice = logitRows(vocabulary);
  for (let from = 0; from < total; from += slice) {
    throwIfCancelled(signal);
    const to = Math.min(total, from + slice);
    const rows = (stream: Float32Array): Float32Array => stream.subarray(from * width, to * width);
    const compared = await head.compare(rows(hidden), rows(baseline), targets && BigInt64Array.from(targets.subarray(from, to), BigInt));
    yield { from, rows: to - from, compared };
  }
}
